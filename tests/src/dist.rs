//! Real distributions for tests: wheels that pip installs and sdists that setuptools builds.
//!
//! Made here and not by Python, so that a test can have a thousand of them in a moment.
//!
//! Invariant: the same arguments give the same bytes, on any machine and on any day.

use std::io::{Cursor, Write as _};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use flate2::GzBuilder;
use lockstep_core::digest::Sha256;
use tar::{Builder, Header};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A distribution, as it is uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dist {
    /// Its file name, with the name and version in it.
    pub filename: String,
    /// The archive.
    pub bytes: Vec<u8>,
    /// The SHA-256 of `bytes` in hex.
    pub sha256: String,
}

/// What may differ between two distributions of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opts {
    /// The `Requires-Python` field.
    pub requires_python: Option<String>,
    /// The `Summary` field.
    pub summary: Option<String>,
    /// The length of a file of data that does not compress; 0 for no such file.
    pub payload: usize,
    /// The Python tag of a wheel.
    pub python_tag: String,
    /// The platform tag of a wheel.
    pub platform_tag: String,
    /// The `Metadata-Version` field.
    pub metadata_version: String,
    /// Further lines of the metadata, such as `Classifier: Topic :: Internet`.
    pub fields: Vec<String>,
    /// Further files: at the top of a wheel, below the folder of an sdist.
    pub files: Vec<(String, Vec<u8>)>,
    /// The metadata's body.
    pub description: Option<String>,
}

impl Default for Opts {
    fn default() -> Self {
        Self {
            requires_python: None,
            summary: None,
            payload: 0,
            python_tag: "py3".to_owned(),
            platform_tag: "any".to_owned(),
            metadata_version: "2.1".to_owned(),
            fields: Vec::new(),
            files: Vec::new(),
            description: None,
        }
    }
}

impl Opts {
    /// The default with further lines of the metadata, of this version of the format.
    pub fn with_fields(metadata_version: &str, fields: &[&str]) -> Self {
        Self {
            metadata_version: metadata_version.to_owned(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            ..Self::default()
        }
    }

    /// The same with a further file.
    #[must_use]
    pub fn with_file(mut self, path: &str, bytes: &[u8]) -> Self {
        self.files.push((path.to_owned(), bytes.to_owned()));
        self
    }
}

/// A pure Python wheel with one importable package.
///
/// `name` may be spelled in any way, and stands so in METADATA; `version` must be in its normal
/// form.
pub fn wheel(name: &str, version: &str, opts: &Opts) -> Dist {
    let package = package_name(name);
    let dist_info = format!("{package}-{version}.dist-info");
    let mut files = package_files(&package, name, version, opts);
    files.push((
        format!("{dist_info}/METADATA"),
        core_metadata(name, version, opts).into_bytes(),
    ));
    let wheel = format!(
        "Wheel-Version: 1.0\nGenerator: lockstep-tests\nRoot-Is-Purelib: true\nTag: {}-none-{}\n",
        opts.python_tag, opts.platform_tag
    );
    files.push((format!("{dist_info}/WHEEL"), wheel.into_bytes()));
    let record_path = format!("{dist_info}/RECORD");
    let mut record: Vec<_> = files
        .iter()
        .map(|(path, bytes)| {
            let hash = BASE64_URL_SAFE_NO_PAD.encode(Sha256::of(bytes).as_bytes());
            format!("{path},sha256={hash},{}", bytes.len())
        })
        .collect();
    record.push(format!("{record_path},,"));
    files.push((record_path, text_of(record).into_bytes()));

    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        // The default date is the zip format's first, not today's.
        let options = SimpleFileOptions::default().unix_permissions(0o644);
        writer.start_file(path, options).expect("a member");
        writer.write_all(&bytes).expect("written to memory");
    }
    let bytes = writer.finish().expect("written to memory").into_inner();
    let tags = format!("{}-none-{}", opts.python_tag, opts.platform_tag);
    let filename = format!("{package}-{version}-{tags}.whl");
    dist(filename, bytes)
}

/// A source distribution of the same package, to be built by setuptools.
pub fn sdist(name: &str, version: &str, opts: &Opts) -> Dist {
    let package = package_name(name);
    let mut files = package_files(&package, name, version, opts);
    files.push((
        "PKG-INFO".to_owned(),
        core_metadata(name, version, opts).into_bytes(),
    ));
    files.push((
        "pyproject.toml".to_owned(),
        pyproject(&package, name, version, opts).into_bytes(),
    ));

    // No time and no file name in the gzip header.
    let gzip = GzBuilder::new().write(Vec::new(), flate2::Compression::default());
    let mut builder = Builder::new(gzip);
    for (path, bytes) in files {
        let mut header = Header::new_ustar();
        header.set_mode(0o644);
        header.set_mtime(315_532_800); // 1980, as in the wheel
        header.set_size(bytes.len() as u64);
        builder
            .append_data(
                &mut header,
                format!("{package}-{version}/{path}"),
                &bytes[..],
            )
            .expect("written to memory");
    }
    let gzip = builder.into_inner().expect("written to memory");
    let bytes = gzip.finish().expect("written to memory");
    dist(format!("{package}-{version}.tar.gz"), bytes)
}

fn dist(filename: String, bytes: Vec<u8>) -> Dist {
    let sha256 = Sha256::of(&bytes).to_string();
    Dist {
        filename,
        bytes,
        sha256,
    }
}

/// The name in the form that file names and imports have: lower case, one `_` between words.
fn package_name(name: &str) -> String {
    let words: Vec<_> = name
        .split(['-', '_', '.'])
        .filter(|word| !word.is_empty())
        .collect();
    words.join("_").to_lowercase()
}

fn package_files(package: &str, name: &str, version: &str, opts: &Opts) -> Vec<(String, Vec<u8>)> {
    let module = format!("\"\"\"{name}, made for a test.\"\"\"\n\n__version__ = \"{version}\"\n");
    let mut files = vec![(format!("{package}/__init__.py"), module.into_bytes())];
    if opts.payload > 0 {
        let seed = Sha256::of(format!("{name} {version}").as_bytes());
        let bytes = incompressible(opts.payload, seed);
        files.push((format!("{package}/payload.bin"), bytes));
    }
    files.extend(opts.files.iter().cloned());
    files
}

/// Bytes without a pattern: the hashes of a seed and a counter.
fn incompressible(length: usize, seed: Sha256) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..length.div_ceil(32))
        .flat_map(|number| {
            let block = [seed.as_bytes(), &number.to_le_bytes()].concat();
            Sha256::of(&block).as_bytes().to_vec()
        })
        .collect();
    bytes.truncate(length);
    bytes
}

fn core_metadata(name: &str, version: &str, opts: &Opts) -> String {
    let mut lines = vec![
        format!("Metadata-Version: {}", opts.metadata_version),
        format!("Name: {name}"),
        format!("Version: {version}"),
    ];
    if let Some(summary) = &opts.summary {
        lines.push(format!("Summary: {summary}"));
    }
    if let Some(requires_python) = &opts.requires_python {
        lines.push(format!("Requires-Python: {requires_python}"));
    }
    lines.extend(opts.fields.iter().cloned());
    let mut text = text_of(lines);
    if let Some(description) = &opts.description {
        text.push('\n');
        text.push_str(description);
    }
    text
}

fn pyproject(package: &str, name: &str, version: &str, opts: &Opts) -> String {
    let mut lines = vec![
        "[build-system]".to_owned(),
        "requires = [\"setuptools>=61\"]".to_owned(),
        "build-backend = \"setuptools.build_meta\"".to_owned(),
        "[tool.setuptools]".to_owned(),
        format!("packages = [\"{package}\"]"),
        "[tool.setuptools.package-data]".to_owned(),
        "\"*\" = [\"payload.bin\"]".to_owned(),
        "[project]".to_owned(),
        format!("name = \"{name}\""),
        format!("version = \"{version}\""),
    ];
    // Rust's quoting of such texts is TOML's, too.
    if let Some(summary) = &opts.summary {
        lines.push(format!("description = {summary:?}"));
    }
    if let Some(requires_python) = &opts.requires_python {
        lines.push(format!("requires-python = {requires_python:?}"));
    }
    text_of(lines)
}

fn text_of(lines: Vec<String>) -> String {
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_arguments_give_the_same_bytes() {
        let opts = Opts {
            requires_python: Some(">=3.9".to_owned()),
            summary: Some("A test".to_owned()),
            payload: 1000,
            ..Opts::default()
        };
        assert_eq!(wheel("A.b", "1.0", &opts), wheel("A.b", "1.0", &opts));
        assert_eq!(sdist("A.b", "1.0", &opts), sdist("A.b", "1.0", &opts));
        assert_eq!(
            wheel("A.b", "1.0", &opts).filename,
            "a_b-1.0-py3-none-any.whl"
        );
        assert_eq!(sdist("A.b", "1.0", &opts).filename, "a_b-1.0.tar.gz");
    }

    #[test]
    fn the_payload_does_not_compress() {
        let opts = Opts {
            payload: 100_000,
            ..Opts::default()
        };
        assert!(wheel("big", "1", &opts).bytes.len() > 100_000);
        assert!(sdist("big", "1", &opts).bytes.len() > 100_000);
    }
}
