//! Wheels: a zip archive with exactly one `*.dist-info` folder at its top, whose RECORD tells every
//! file's hash.
//!
//! Stricter than the zip format: the archive begins at the first byte and ends at the last, the
//! members' own headers agree with the central directory, and nothing overlaps. Installers differ
//! in which of two contradicting headers they believe, so there must be no contradiction.

use std::collections::BTreeSet;
use std::io::{BufReader, Read, Seek};

use lockstep_core::entry_points;
use lockstep_core::record::Record;
use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::{ArchiveError, Budget, Disk, Found, MAX_DOCUMENT, framing, inflate, keep, shown};

pub(super) const EXPECTED: &str = "a zip archive (.whl)";
const ONE_DIST_INFO: &str = "exactly one `*.dist-info` folder with METADATA, WHEEL and RECORD";
/// RECORD may be this large: it has a line for each member.
const MAX_RECORD: usize = 16 << 20;

/// Reads the wheel in `disk`, every byte of it.
pub(super) fn read(
    mut disk: BufReader<Disk<'_>>,
    budget: &mut Budget,
) -> Result<Found, ArchiveError> {
    if budget.size == 0 {
        return Err(ArchiveError::Empty { expected: EXPECTED });
    }
    framing::check(&mut disk, budget.size, |members| {
        budget.check_members(members)
    })?;
    let config = Config {
        archive_offset: ArchiveOffset::Known(0),
    };
    let mut archive = ZipArchive::with_config(config, disk).map_err(damaged)?;
    archive.validate_header_consistency().map_err(damaged)?;
    let names = (0..archive.len())
        .map(|index| check_member(&archive, index, budget))
        .collect::<Result<Vec<_>, _>>()?;

    let folder = dist_info(&names)?;
    let has = |file: &str| names.iter().any(|name| *name == format!("{folder}/{file}"));
    for file in ["WHEEL", "RECORD", "METADATA"] {
        if !has(file) {
            return Err(ArchiveError::Layout {
                seen: format!("no {file} in its `*.dist-info` folder"),
                expected: ONE_DIST_INFO,
            });
        }
    }
    check_version(&document(
        &mut archive,
        &folder,
        "WHEEL",
        MAX_DOCUMENT,
        budget,
    )?)?;
    if has("entry_points.txt") {
        let text = document(
            &mut archive,
            &folder,
            "entry_points.txt",
            MAX_DOCUMENT,
            budget,
        )?;
        entry_points::check(&text).map_err(ArchiveError::entry_points)?;
    }
    let metadata = document(&mut archive, &folder, "METADATA", MAX_DOCUMENT, budget)?;
    let record = document(&mut archive, &folder, "RECORD", MAX_RECORD, budget)?;
    let record = Record::parse(&record, &folder).map_err(ArchiveError::record)?;
    compare(&mut archive, &names, record, &folder, budget)?;

    let licenses = format!("{folder}/licenses/");
    let licenses = names.iter().filter_map(|name| name.strip_prefix(&licenses));
    Ok(Found {
        licenses: licenses.map(str::to_owned).collect(),
        folder,
        metadata,
    })
}

/// Reads each member to its end, which compares its checksum, and holds it against RECORD.
fn compare(
    archive: &mut ZipArchive<BufReader<Disk<'_>>>,
    names: &[String],
    mut record: Record,
    dist_info: &str,
    budget: &mut Budget,
) -> Result<(), ArchiveError> {
    for (index, name) in names.iter().enumerate() {
        let mut member = archive.by_index(index).map_err(damaged)?;
        let mut witness = if name.ends_with('/') {
            None
        } else {
            record
                .witness(name, dist_info)
                .map_err(ArchiveError::record)?
        };
        let mut length = 0;
        let see = |bytes: &[u8]| {
            length += bytes.len();
            if let Some(witness) = &mut witness {
                witness.see(bytes);
            }
            Ok(())
        };
        inflate(&mut member, budget, see, |error| {
            damaged(ZipError::Io(error))
        })?;
        if let Some(witness) = witness {
            witness.judge().map_err(ArchiveError::record)?;
        }
        if name.ends_with('/') && length > 0 {
            return Err(ArchiveError::Member {
                member: shown(name),
                seen: "a folder with bytes".to_owned(),
                expected: "files and folders",
            });
        }
    }
    record.complete().map_err(ArchiveError::record)
}

/// The bytes of a file of the metadata folder, of at most `limit`.
fn document(
    archive: &mut ZipArchive<BufReader<Disk<'_>>>,
    folder: &str,
    file: &'static str,
    limit: usize,
    budget: &mut Budget,
) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::new();
    let mut member = archive
        .by_name(&format!("{folder}/{file}"))
        .map_err(damaged)?;
    let into = keep(&mut bytes, file, limit);
    inflate(&mut member, budget, into, |error| {
        damaged(ZipError::Io(error))
    })?;
    Ok(bytes)
}

/// Installers refuse a wheel of another major version, or of none (PEP 427).
fn check_version(wheel: &[u8]) -> Result<(), ArchiveError> {
    let text = String::from_utf8_lossy(wheel);
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("Wheel-Version:"));
    match version.map(str::trim) {
        Some(version) if version.split('.').next() == Some("1") => Ok(()),
        other => Err(ArchiveError::Layout {
            seen: format!("a WHEEL of version `{}`", shown(other.unwrap_or_default())),
            expected: "`Wheel-Version: 1.0`",
        }),
    }
}

/// The one folder at the top whose name says that it has the metadata.
fn dist_info(names: &[String]) -> Result<String, ArchiveError> {
    let folders: BTreeSet<&str> = names
        .iter()
        .filter_map(|name| name.split_once('/'))
        .map(|(folder, _)| folder)
        .filter(|folder| folder.ends_with(".dist-info"))
        .collect();
    let seen = match folders.iter().collect::<Vec<_>>()[..] {
        [folder] => return Ok((*folder).to_owned()),
        [one, other, ..] => format!("both `{}` and `{}`", shown(one), shown(other)),
        [] => "no `*.dist-info` folder at its top".to_owned(),
    };
    Err(ArchiveError::Layout {
        seen,
        expected: ONE_DIST_INFO,
    })
}

/// The name of the member at `index`, if installers can safely unpack it.
fn check_member<R: Read + Seek>(
    archive: &ZipArchive<R>,
    index: usize,
    budget: &mut Budget,
) -> Result<String, ArchiveError> {
    let member = archive.by_index_data(index).map_err(damaged)?;
    let name = member.name().map_err(damaged)?.into_owned();
    budget.member(name.len())?;
    // Backslashes and drive letters lead outside on Windows.
    // One path in one spelling: `a\\b`, `./a` and `a//b` are other names of `a/b` to those who unpack.
    let other_name = name.contains('\\')
        || name
            .trim_end_matches('/')
            .split('/')
            .any(|part| part.is_empty() || part == ".");
    let outside = other_name
        || name.starts_with('/')
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

pub(super) fn damaged(error: ZipError) -> ArchiveError {
    ArchiveError::Damaged {
        seen: shown(&error.to_string()),
        expected: EXPECTED,
    }
}

#[cfg(test)]
mod tests;
