//! Wheels: a zip archive with exactly one `*.dist-info` folder at its top.
//!
//! Stricter than the zip format: the archive begins at the first byte and ends at the last, the
//! members' own headers agree with the central directory, and nothing overlaps. Installers differ
//! in which of two contradicting headers they believe, so there must be no contradiction.

use std::io::{BufReader, Read as _, Seek as _, SeekFrom};

use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::{ArchiveError, Disk, MAX_MEMBERS, inflate, shown, too_many_members};

const EXPECTED: &str = "a zip archive (.whl)";
const ONE_DIST_INFO: &str = "exactly one `*.dist-info` folder with METADATA, WHEEL and RECORD";

/// Reads the wheel in `disk`, which is `size` bytes long, and gives back its `METADATA`.
pub(super) fn read(mut disk: BufReader<Disk<'_>>, size: u64) -> Result<Vec<u8>, ArchiveError> {
    if size == 0 {
        return Err(ArchiveError::Empty { expected: EXPECTED });
    }
    check_end(&mut disk, size)?;
    let config = Config {
        archive_offset: ArchiveOffset::Known(0),
    };
    let mut archive = ZipArchive::with_config(config, disk).map_err(damaged)?;
    if archive.len() > MAX_MEMBERS {
        return Err(too_many_members());
    }
    archive.validate_header_consistency().map_err(damaged)?;

    let mut dist_info = DistInfo::default();
    let mut inflated = 0;
    for index in 0..archive.len() {
        let name = check_member(&archive, index)?;
        let mut member = archive.by_index(index).map_err(damaged)?;
        let keep = dist_info.note(&name)?;
        // Reading to the end is what compares the member's checksum.
        inflate(&mut member, &mut inflated, size, keep, |error| {
            damaged(ZipError::Io(error))
        })?;
    }
    dist_info.complete()
}

/// Looks at the record that ends every zip archive before anything is allocated for what it
/// claims: it must be the last thing in the file and must not announce too many members.
fn check_end(disk: &mut BufReader<Disk<'_>>, size: u64) -> Result<(), ArchiveError> {
    const RECORD: usize = 22;
    const LOCATOR: usize = 20;
    const RECORD_64: usize = 56;
    let io = |error| damaged(ZipError::Io(error));

    // The record may be followed by a comment of at most 65535 bytes that it announces.
    let tail_length = size.min((LOCATOR + RECORD + usize::from(u16::MAX)) as u64);
    let mut tail = Vec::new();
    disk.seek(SeekFrom::Start(size - tail_length)).map_err(io)?;
    disk.take(tail_length).read_to_end(&mut tail).map_err(io)?;
    let missing = || ArchiveError::Damaged {
        seen: "no end of central directory".to_owned(),
        expected: EXPECTED,
    };
    let start = tail
        .windows(4)
        .rposition(|bytes| bytes == b"PK\x05\x06")
        .ok_or_else(missing)?;
    let record = tail.get(start..start + RECORD).ok_or_else(missing)?;
    let comment = usize::from(u16::from_le_bytes([record[20], record[21]]));
    let rest = tail.len() - start - RECORD;
    if rest > comment {
        return Err(ArchiveError::TrailingData { expected: EXPECTED });
    }
    if rest < comment {
        return Err(missing());
    }

    let mut members = u64::from(u16::from_le_bytes([record[10], record[11]]));
    let locator = start
        .checked_sub(LOCATOR)
        .map(|before| &tail[before..start])
        .filter(|locator| locator.starts_with(b"PK\x06\x07"));
    if let Some(locator) = locator {
        let mut record = [0; RECORD_64];
        disk.seek(SeekFrom::Start(u64_at(locator, 8))).map_err(io)?;
        disk.read_exact(&mut record).map_err(io)?;
        members = members.max(u64_at(&record, 32));
    }
    if members > MAX_MEMBERS as u64 {
        return Err(too_many_members());
    }
    Ok(())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8]
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// The name of the member at `index`, if installers can safely unpack it.
fn check_member<R>(archive: &ZipArchive<R>, index: usize) -> Result<String, ArchiveError>
where
    R: std::io::Read + std::io::Seek,
{
    let member = archive.by_index_data(index).map_err(damaged)?;
    let name = member.name().map_err(damaged)?.into_owned();
    // Backslashes and drive letters lead outside on Windows.
    let outside = name.starts_with(['/', '\\'])
        || name.get(1..2) == Some(":")
        || name.contains('\0')
        || name.split(['/', '\\']).any(|part| part == "..");
    if outside {
        return Err(ArchiveError::Outside {
            member: shown(&name),
        });
    }
    let refused = |seen: String, expected| ArchiveError::Member {
        member: shown(&name),
        seen,
        expected,
    };
    if member.encrypted() {
        return Err(refused("encrypted".to_owned(), "no encryption"));
    }
    let method = member.compression();
    if !matches!(
        method,
        CompressionMethod::Stored | CompressionMethod::Deflated
    ) {
        return Err(refused(
            shown(&format!("compressed by method {method}")),
            "stored or deflated members",
        ));
    }
    if member.is_symlink() {
        return Err(refused("a symbolic link".to_owned(), "files and folders"));
    }
    Ok(name)
}

/// What was seen of the `*.dist-info` folder so far.
#[derive(Default)]
struct DistInfo {
    folder: Option<String>,
    metadata: Option<Vec<u8>>,
    has_wheel: bool,
    has_record: bool,
}

impl DistInfo {
    /// Takes note of a member's name; gives back where to put its bytes if they are wanted.
    fn note(&mut self, name: &str) -> Result<Option<&mut Vec<u8>>, ArchiveError> {
        let Some((folder, file)) = name.split_once('/') else {
            return Ok(None);
        };
        if !folder.ends_with(".dist-info") {
            return Ok(None);
        }
        let first = self.folder.get_or_insert_with(|| folder.to_owned());
        if first != folder {
            return Err(ArchiveError::Layout {
                seen: format!("both `{}` and `{}`", shown(first), shown(folder)),
                expected: ONE_DIST_INFO,
            });
        }
        match file {
            "METADATA" => return Ok(Some(self.metadata.insert(Vec::new()))),
            "WHEEL" => self.has_wheel = true,
            "RECORD" => self.has_record = true,
            _ => {}
        }
        Ok(None)
    }

    /// The `METADATA`, if the folder has all it needs.
    fn complete(self) -> Result<Vec<u8>, ArchiveError> {
        let missing = |seen: &str| ArchiveError::Layout {
            seen: seen.to_owned(),
            expected: ONE_DIST_INFO,
        };
        if self.folder.is_none() {
            return Err(missing("no `*.dist-info` folder at its top"));
        }
        if !self.has_wheel {
            return Err(missing("no WHEEL in its `*.dist-info` folder"));
        }
        if !self.has_record {
            return Err(missing("no RECORD in its `*.dist-info` folder"));
        }
        self.metadata
            .ok_or_else(|| missing("no METADATA in its `*.dist-info` folder"))
    }
}

fn damaged(error: ZipError) -> ArchiveError {
    ArchiveError::Damaged {
        seen: shown(&error.to_string()),
        expected: EXPECTED,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use lockstep_core::filename::DistKind;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::super::tests::read;
    use super::*;

    const GOOD: [(&str, &[u8]); 4] = [
        ("demo/__init__.py", b"answer = 42\n"),
        (
            "demo-1.0.dist-info/METADATA",
            b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
        ),
        ("demo-1.0.dist-info/WHEEL", b"Wheel-Version: 1.0\n"),
        ("demo-1.0.dist-info/RECORD", b""),
    ];

    fn zip_of<'a>(members: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            writer
                .start_file(name, SimpleFileOptions::default())
                .expect("a member");
            writer.write_all(bytes).expect("written");
        }
        writer.finish().expect("finished").into_inner()
    }

    fn refusal(bytes: &[u8]) -> ArchiveError {
        read(bytes, DistKind::Wheel).expect_err("refused")
    }

    #[test]
    fn a_good_wheel_gives_its_metadata_byte_for_byte() {
        let metadata = read(&zip_of(GOOD), DistKind::Wheel).expect("a good wheel");
        assert_eq!(metadata, GOOD[1].1);
    }

    #[test]
    fn every_truncation_is_refused() {
        let good = zip_of(GOOD);
        for length in 1..good.len() {
            let error = refusal(&good[..length]);
            assert!(matches!(error, ArchiveError::Damaged { .. }), "{error}");
        }
    }

    #[test]
    fn a_flipped_byte_of_a_member_is_refused() {
        let good = zip_of(GOOD);
        // 30 bytes of header and 16 of name come before the first member's data.
        let mut bad = good.clone();
        bad[30 + 16 + 4] ^= 0x20;
        assert!(matches!(refusal(&bad), ArchiveError::Damaged { .. }));
    }

    #[test]
    fn data_before_and_after_the_archive_is_refused() {
        let good = zip_of(GOOD);
        let after = [&good[..], b"tail"].concat();
        assert!(matches!(refusal(&after), ArchiveError::TrailingData { .. }));
        let before = [b"head", &good[..]].concat();
        assert!(matches!(refusal(&before), ArchiveError::Damaged { .. }));
    }

    #[test]
    fn the_dist_info_folder_must_be_one_and_complete() {
        for missing in ["METADATA", "WHEEL", "RECORD"] {
            let members = GOOD
                .into_iter()
                .filter(|(name, _)| !name.ends_with(missing));
            let error = refusal(&zip_of(members));
            assert_eq!(
                error.to_string(),
                format!(
                    "Invalid distribution file. It has no {missing} in its `*.dist-info` folder; \
                     expected exactly one `*.dist-info` folder with METADATA, WHEEL and RECORD."
                )
            );
        }
        let none = refusal(&zip_of([GOOD[0]]));
        assert!(none.to_string().contains("no `*.dist-info` folder"));
        let second = ("other-2.dist-info/METADATA", &b"x"[..]);
        let two = refusal(&zip_of(GOOD.into_iter().chain([second])));
        assert!(two.to_string().contains("`other-2.dist-info`"), "{two}");
        // Deeper in the tree it is data like any other.
        let vendored = ("demo/_vendor/other-2.dist-info/METADATA", &b"x"[..]);
        assert!(read(&zip_of(GOOD.into_iter().chain([vendored])), DistKind::Wheel).is_ok());
    }

    #[test]
    fn paths_that_lead_outside_are_refused() {
        for name in [
            "../evil",
            "a/../../evil",
            "/etc/evil",
            "..\\evil",
            "C:\\evil",
        ] {
            let error = refusal(&zip_of(GOOD.into_iter().chain([(name, &b"x"[..])])));
            assert!(
                matches!(error, ArchiveError::Outside { .. }),
                "{name}: {error}"
            );
        }
    }

    #[test]
    fn a_bomb_and_a_giant_document_are_refused() {
        let zeros = vec![0; 80 << 20];
        let bomb = refusal(&zip_of(
            GOOD.into_iter().chain([("demo/zeros", &zeros[..])]),
        ));
        assert!(matches!(bomb, ArchiveError::TooLarge { .. }), "{bomb}");
        let document = ("demo-1.0.dist-info/METADATA", &zeros[..9 << 20]);
        let giant = refusal(&zip_of([GOOD[0], document, GOOD[2], GOOD[3]]));
        assert!(giant.to_string().contains("at most 8 MiB"), "{giant}");
    }

    #[test]
    fn encrypted_members_are_refused() {
        let mut bytes = zip_of(GOOD);
        // Bit 0 of the flags says "encrypted", in the member's own header and the central one.
        bytes[6] |= 1;
        let central = bytes
            .windows(4)
            .position(|bytes| bytes == b"PK\x01\x02")
            .expect("a central directory");
        bytes[central + 8] |= 1;
        assert!(refusal(&bytes).to_string().contains("encrypted"));
    }

    #[test]
    fn too_many_members_are_refused_before_they_are_read() {
        // Only the records at the end, which is all that may be looked at.
        let mut record_64 = *b"PK\x06\x06____________________________________________________";
        record_64[32..40].copy_from_slice(&(MAX_MEMBERS as u64 + 1).to_le_bytes());
        let locator = *b"PK\x06\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0";
        let mut record = [0; 22];
        record[..4].copy_from_slice(b"PK\x05\x06");
        let bytes = [&record_64[..], &locator, &record].concat();
        assert!(refusal(&bytes).to_string().contains("at most 100,000"));
    }
}
