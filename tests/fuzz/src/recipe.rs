//! An upload written down as text, so that a machine that changes letters changes what is said and not
//! the checksums around it.
//!
//! ```text
//! file name
//! form field=value
//! @@ path/of/a/member
//! its bytes
//! ```
//!
//! The file name decides the kind of archive. A wheel without a RECORD gets a correct one. `@>path`
//! instead of `@@ path` is, in an sdist, a symbolic link to what follows.

use std::io::{Cursor, Write as _};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use flate2::write::GzEncoder;
use lockstep_core::digest::Sha256;
use tar::{Builder, EntryType, Header};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The parts of an upload.
pub(crate) struct Recipe<'a> {
    /// The name of the file.
    pub(crate) filename: &'a str,
    /// The fields of the form.
    pub(crate) fields: Vec<(&'a str, &'a str)>,
    members: Vec<Member<'a>>,
}

struct Member<'a> {
    path: &'a str,
    link: bool,
    bytes: Vec<u8>,
}

impl<'a> Recipe<'a> {
    /// Reads a recipe; `None` for what is none.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut pieces = text.split("\n@");
        let mut head = pieces.next()?.split('\n');
        let filename = head.next()?;
        let fields = head.filter_map(|line| line.split_once('=')).collect();
        let members = pieces.map(|piece| {
            let (path, bytes) = piece.split_once('\n').unwrap_or((piece, ""));
            let link = path.starts_with('>');
            Member {
                path: path.get(1..).unwrap_or_default().trim_start(),
                link,
                bytes: bytes.as_bytes().to_vec(),
            }
        });
        Some(Self {
            filename,
            fields,
            members: members.collect(),
        })
    }

    /// The archive; `None` when the writer refuses a name.
    pub(crate) fn archive(&self) -> Option<Vec<u8>> {
        if self.filename.rsplit('.').next() == Some("whl") {
            self.wheel()
        } else {
            self.sdist()
        }
    }

    fn wheel(&self) -> Option<Vec<u8>> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let mut put = |path: &str, bytes: &[u8]| {
            writer.start_file(path, options).ok()?;
            writer.write_all(bytes).ok()
        };
        for member in &self.members {
            put(member.path, &member.bytes)?;
        }
        if let Some((path, record)) = self.record() {
            put(&path, record.as_bytes())?;
        }
        Some(writer.finish().ok()?.into_inner())
    }

    /// RECORD, if it is not among the members and there is a folder for it.
    fn record(&self) -> Option<(String, String)> {
        let mut folders = self.members.iter().map(|it| it.path.split('/').next());
        let folder = folders
            .find_map(|folder| folder.filter(|it| it.ends_with(".dist-info")))?
            .to_owned();
        let path = format!("{folder}/RECORD");
        if self.members.iter().any(|member| member.path == path) {
            return None;
        }
        let lines = self.members.iter().filter(|it| !it.path.ends_with('/'));
        let mut record: Vec<String> = lines
            .map(|member| {
                let hash = BASE64_URL_SAFE_NO_PAD.encode(Sha256::of(&member.bytes).as_bytes());
                format!("{},sha256={hash},{}", member.path, member.bytes.len())
            })
            .collect();
        record.push(format!("{path},,\n"));
        let record = record.join("\n");
        Some((path, record))
    }

    fn sdist(&self) -> Option<Vec<u8>> {
        let gzip = GzEncoder::new(Vec::new(), flate2::Compression::none());
        let mut builder = Builder::new(gzip);
        for member in &self.members {
            let mut header = Header::new_gnu();
            // Not by `set_path`, which refuses what a stranger's program would not.
            let name = &mut header.as_old_mut().name;
            let length = member.path.len().min(name.len());
            name[..length].copy_from_slice(&member.path.as_bytes()[..length]);
            header.set_mode(0o644);
            if member.link {
                header.set_entry_type(EntryType::Symlink);
                let target = &mut header.as_old_mut().linkname;
                let length = member.bytes.len().min(target.len());
                target[..length].copy_from_slice(&member.bytes[..length]);
                header.set_size(0);
                header.set_cksum();
                builder.append(&header, &[][..]).ok()?;
            } else {
                header.set_size(member.bytes.len() as u64);
                header.set_cksum();
                builder.append(&header, &member.bytes[..]).ok()?;
            }
        }
        builder.into_inner().ok()?.finish().ok()
    }
}
