//! The two manifests of a project's state, which name no representation, so that a
//! mirror that renders its own pages can still be asserted.
//!
//! Both are sorted bytewise by file name; both are hashed exactly as these bytes.

use serde_json::json;

use crate::digest::Sha256;
use crate::filename::DistFilename;
use crate::page::FileEntry;
use crate::version::RequiresPython;

/// `content`: one compact JSON array a line, `["<filename>","<sha256>",<requires-python or
/// null>,<yanked>]`. What survives every mirror's own rendering, and nothing else.
pub fn content(files: &[FileEntry]) -> Vec<u8> {
    let mut out = Vec::with_capacity(files.len() * 130);
    for file in by_name(files) {
        let requires = file.requires_python.as_ref().map(RequiresPython::as_str);
        // A tuple, not a map: its order can't be changed by a feature of a dependency.
        let line = (file.filename.as_str(), file.sha256, requires, &file.yanked);
        serde_json::to_writer(&mut out, &line).expect("a vector takes every byte");
        out.push(b'\n');
    }
    out
}

/// `files`: the format of `sha256sum -c`.
pub fn files(files: &[FileEntry]) -> Vec<u8> {
    let mut out = Vec::with_capacity(files.len() * 100);
    for file in by_name(files) {
        out.extend_from_slice(format!("{}  {}\n", file.sha256, file.filename).as_bytes());
    }
    out
}

/// A line of a `content` manifest, without what a list of files does not need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentFile {
    /// Its name.
    pub filename: DistFilename,
    /// What its bytes hash to.
    pub sha256: Sha256,
    /// Whether its release is yanked.
    pub yanked: bool,
}

/// Reads a stored `content`. `None` when the bytes are not a content manifest.
pub fn read_content(content: &[u8]) -> Option<Vec<ContentFile>> {
    let lines = content.split_inclusive(|byte| *byte == b'\n');
    let file = |line| {
        let (filename, sha256, _, yanked): (String, Sha256, Option<String>, serde_json::Value) =
            serde_json::from_slice(line).ok()?;
        Some(ContentFile {
            filename: DistFilename::from_stored(filename),
            sha256,
            yanked: yanked != json!(false),
        })
    };
    lines.map(file).collect()
}

/// `files` derived from a stored `content`: the same rows, fewer columns. `None` when the bytes are
/// not a content manifest.
pub fn files_of_content(content: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(content.len());
    for file in read_content(content)? {
        out.extend_from_slice(format!("{}  {}\n", file.sha256, file.filename).as_bytes());
    }
    Some(out)
}

fn by_name(files: &[FileEntry]) -> Vec<&FileEntry> {
    let mut sorted: Vec<_> = files.iter().collect();
    sorted.sort_by(|a, b| a.filename.cmp(&b.filename));
    sorted
}

/// A file's name and hash.
pub type FileHash = (DistFilename, Sha256);

/// The `added` or `removed` column of a changelog row: file name to hash.
pub fn file_hashes(files: &[FileHash]) -> serde_json::Value {
    let map = files
        .iter()
        .map(|(filename, sha256)| (filename.to_string(), json!(sha256)));
    serde_json::Value::Object(map.collect())
}
