//! The metadata document out of an uploaded archive: `METADATA` of a wheel, `PKG-INFO` of an
//! sdist.
//!
//! The archive is read from its first to its last byte and every checksum in it is compared, so an
//! upload that was cut short or damaged on its way is refused here and never listed. Nothing is
//! unpacked to disk, and what the document says is not looked at: that is
//! [`lockstep_core::metadata`].
//!
//! Invariant: blocking code, for `spawn_blocking`. Whatever the archive claims about itself, memory
//! stays in proportion to the size of the upload: members are inflated into a sink, and only the
//! one document, of at most 8 MiB, is kept.

mod framing;
mod sdist;
mod wheel;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use bytesize::ByteSize;
use lockstep_core::entry_points::EntryPointsError;
use lockstep_core::filename::DistKind;
use lockstep_core::record::RecordError;

/// A document may be this large.
const MAX_DOCUMENT: usize = 8 << 20;
/// The members' names together may be this large; some of them are kept.
const MAX_NAMES: usize = 32 << 20;
/// From this inflated size on the ratio counts: small archives of zeros are nobody's harm.
const RATIO_COUNTS_FROM: u64 = 64 << 20;
/// An archive may grow this many times when inflated.
const MAX_RATIO: u64 = 50;

/// How much an archive may hold; `[upload]` in the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Members.
    pub members: usize,
    /// Their bytes together, inflated.
    pub unpacked: ByteSize,
}

/// What was read out of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The folder that the metadata are in: `*.dist-info` of a wheel, the one at the top of an
    /// sdist.
    pub folder: String,
    /// The bytes of `METADATA` or `PKG-INFO`, as they stand in the archive.
    pub metadata: Vec<u8>,
    /// The paths that a `License-File` may name, as it must name them (PEP 639).
    pub licenses: BTreeSet<String>,
}

/// An archive that can't be published, and why; or a disk that can't be read.
///
/// All but [`ArchiveError::Disk`] are the uploader's to mend. The messages are plain ASCII on one
/// line, whatever the archive holds, because they are also sent as an HTTP reason phrase.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is not one byte.
    #[error("Invalid distribution file. It is empty; expected {expected}.")]
    Empty {
        /// The archive format of this kind of distribution.
        expected: &'static str,
    },
    /// It is another format, is cut short, or contradicts itself.
    #[error(
        "Invalid distribution file. It can't be read ({seen}); expected {expected} that is complete and consistent."
    )]
    Damaged {
        /// What the decoder said.
        seen: String,
        /// The archive format of this kind of distribution.
        expected: &'static str,
    },
    /// There are bytes that belong to no member.
    #[error(
        "Invalid distribution file. There is data after the end of the archive; expected {expected} and nothing behind it."
    )]
    TrailingData {
        /// The archive format of this kind of distribution.
        expected: &'static str,
    },
    /// It grows too much, has too many members, or its document is too large.
    #[error("Invalid distribution file. It has {seen}; expected at most {limit}.")]
    TooLarge {
        /// What grew too much.
        seen: String,
        /// How much is allowed.
        limit: String,
    },
    /// A member that unpacking would put, or link, outside the folder it is unpacked in.
    #[error(
        "Invalid distribution file. Its member `{member}` points outside; expected relative paths without `..`."
    )]
    Outside {
        /// The member's name.
        member: String,
    },
    /// A member in a form no installer needs: encrypted, a device, sparse, rarely compressed.
    #[error("Invalid distribution file. Its member `{member}` is {seen}; expected {expected}.")]
    Member {
        /// The member's name.
        member: String,
        /// What it is.
        seen: String,
        /// What it may be.
        expected: &'static str,
    },
    /// A part that every distribution of this kind has is missing, or there are two.
    #[error("Invalid distribution file. It has {seen}; expected {expected}.")]
    Layout {
        /// What is there.
        seen: String,
        /// What should be there.
        expected: &'static str,
    },
    /// RECORD is not one, or is of other files.
    #[error("Invalid distribution file: {0}.")]
    Record(String),
    /// `entry_points.txt` is not one.
    #[error("Invalid distribution file: {0}.")]
    EntryPoints(String),
    /// The spooled upload could not be read: our disk, not the uploader's archive.
    #[error("the uploaded file could not be read from disk")]
    Disk(#[source] io::Error),
}

impl ArchiveError {
    /// The label of this error in metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Empty { .. } => "archive-empty",
            Self::Damaged { .. } => "archive-damaged",
            Self::TrailingData { .. } => "archive-trailing-data",
            Self::TooLarge { .. } => "archive-too-large",
            Self::Outside { .. } => "archive-outside",
            Self::Member { .. } => "archive-member",
            Self::Layout { .. } => "archive-layout",
            Self::Record(_) => "archive-record",
            Self::EntryPoints(_) => "archive-entry-points",
            Self::Disk(_) => "disk",
        }
    }

    fn record(error: RecordError) -> Self {
        Self::Record(shown(&error.to_string()))
    }

    fn entry_points(error: EntryPointsError) -> Self {
        Self::EntryPoints(shown(&error.to_string()))
    }
}

/// Reads the archive at `path` to its end, and gives back its metadata document and what else is
/// asked of it.
pub fn read_metadata(path: &Path, kind: DistKind, limits: Limits) -> Result<Found, ArchiveError> {
    let file = File::open(path).map_err(ArchiveError::Disk)?;
    let size = file.metadata().map_err(ArchiveError::Disk)?.len();
    let fault = OnceCell::new();
    let disk = BufReader::new(Disk {
        file,
        fault: &fault,
    });
    let mut budget = Budget {
        size,
        limits,
        inflated: 0,
        members: 0,
        names: 0,
    };
    let result = match kind {
        DistKind::Wheel => wheel::read(disk, &mut budget),
        DistKind::Sdist => sdist::read(disk, &mut budget),
    };
    // The decoders report a failing disk as a damaged archive; the uploader must not be blamed.
    match fault.into_inner() {
        Some(error) => Err(ArchiveError::Disk(error)),
        None => result,
    }
}

/// The spooled file, which remembers that reading it failed.
struct Disk<'a> {
    file: File,
    fault: &'a OnceCell<io::Error>,
}

impl Read for Disk<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                // Only the first failure is kept: the later ones follow from it.
                self.fault.get_or_init(|| error);
            }
            kind.into()
        })
    }
}

/// A failing seek is the archive's fault: a position that it claims and does not have.
impl Seek for Disk<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

/// What an archive has used of what it may.
struct Budget {
    /// The archive's length in bytes.
    size: u64,
    limits: Limits,
    inflated: u64,
    members: usize,
    names: usize,
}

impl Budget {
    /// One more member, with a name of so many bytes.
    fn member(&mut self, name: usize) -> Result<(), ArchiveError> {
        self.members += 1;
        self.names += name;
        if self.names > MAX_NAMES {
            return Err(ArchiveError::TooLarge {
                seen: "member names that are too large together".to_owned(),
                limit: "32 MiB".to_owned(),
            });
        }
        self.check_members(self.members as u64)
    }

    fn check_members(&self, members: u64) -> Result<(), ArchiveError> {
        if members > self.limits.members as u64 {
            return Err(ArchiveError::TooLarge {
                seen: "too many members".to_owned(),
                limit: self.limits.members.to_string(),
            });
        }
        Ok(())
    }

    /// So many more bytes were inflated.
    fn grow(&mut self, count: u64) -> Result<(), ArchiveError> {
        self.inflated += count;
        if self.inflated > RATIO_COUNTS_FROM && self.inflated > self.size.saturating_mul(MAX_RATIO)
        {
            return Err(ArchiveError::TooLarge {
                seen: "members that inflate to more than 50 times its size".to_owned(),
                limit: "64 MiB or 50 times its size".to_owned(),
            });
        }
        if self.inflated > self.limits.unpacked.as_u64() {
            return Err(ArchiveError::TooLarge {
                seen: "members that inflate to too many bytes".to_owned(),
                limit: self.limits.unpacked.to_string(),
            });
        }
        Ok(())
    }
}

/// Reads one member to its end, at most as far as the whole archive may inflate; `each` piece is
/// shown to the caller.
fn inflate(
    member: &mut impl Read,
    budget: &mut Budget,
    mut each: impl FnMut(&[u8]) -> Result<(), ArchiveError>,
    damaged: impl Fn(io::Error) -> ArchiveError,
) -> Result<(), ArchiveError> {
    let mut buffer = [0; 16 << 10];
    loop {
        let count = match member.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(damaged(error)),
        };
        budget.grow(count as u64)?;
        each(&buffer[..count])?;
    }
}

/// For [`inflate`]: keeps the bytes of a document of at most `limit`.
fn keep<'a>(
    into: &'a mut Vec<u8>,
    file: &'static str,
    limit: usize,
) -> impl FnMut(&[u8]) -> Result<(), ArchiveError> + 'a {
    move |bytes| {
        if into.len() + bytes.len() > limit {
            return Err(ArchiveError::TooLarge {
                seen: format!("a {file} that is too large"),
                limit: format!("{} MiB", limit >> 20),
            });
        }
        into.extend_from_slice(bytes);
        Ok(())
    }
}

/// A text out of the archive, or of a decoder that may quote it, fit for a message: ASCII, one
/// line, not long.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .flat_map(char::escape_default)
        .take(160)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    pub(super) const LIMITS: Limits = Limits {
        members: 100_000,
        unpacked: ByteSize::gib(2),
    };

    pub(super) fn read(bytes: &[u8], kind: DistKind) -> Result<Vec<u8>, ArchiveError> {
        read_all(bytes, kind, LIMITS).map(|found| found.metadata)
    }

    pub(super) fn read_all(
        bytes: &[u8],
        kind: DistKind,
        limits: Limits,
    ) -> Result<Found, ArchiveError> {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(bytes).expect("written");
        read_metadata(file.path(), kind, limits)
    }

    #[test]
    fn an_empty_file_is_refused_with_a_sentence() {
        let error = read(b"", DistKind::Wheel).expect_err("empty");
        assert_eq!(
            error.to_string(),
            "Invalid distribution file. It is empty; expected a zip archive (.whl)."
        );
        let error = read(b"", DistKind::Sdist).expect_err("empty");
        assert!(matches!(error, ArchiveError::Empty { .. }), "{error}");
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        for kind in [DistKind::Wheel, DistKind::Sdist] {
            for bytes in [&b"x"[..], b"not an archive at all", &[0; 4096]] {
                let error = read(bytes, kind).expect_err("no archive");
                assert!(matches!(error, ArchiveError::Damaged { .. }), "{error}");
            }
        }
    }

    #[test]
    fn a_failing_disk_is_not_the_uploaders_fault() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for kind in [DistKind::Wheel, DistKind::Sdist] {
            // A folder can be opened and not read, which is the nearest thing to a broken disk.
            let error = read_metadata(folder.path(), kind, LIMITS).expect_err("a folder");
            assert!(matches!(error, ArchiveError::Disk(_)), "{error}");
            let missing = read_metadata(&folder.path().join("gone"), kind, LIMITS);
            let missing = missing.expect_err("missing");
            assert!(matches!(missing, ArchiveError::Disk(_)), "{missing}");
        }
    }

    #[test]
    fn quoted_names_are_ascii_on_one_line() {
        assert_eq!(shown("a\r\nb\u{e9}"), "a\\r\\nb\\u{e9}");
        assert_eq!(shown(&"x".repeat(500)).len(), 160);
    }
}
