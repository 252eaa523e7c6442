//! The frame of a zip archive: that its members, its central directory and its end record lie one
//! behind the other from the first byte to the last, with nothing before, between or after them.
//!
//! Some installers go by the central directory, others read the members as they come. Where bytes
//! belong to neither, the two can be made to see different files.
//!
//! Not here: whether the two say the same of a member; that is asked of the zip library.
//!
//! Invariant: allocates for what was counted, not for what is claimed.

use std::io::{BufReader, Read, Seek, SeekFrom};

use zip::result::ZipError;

use super::wheel::{EXPECTED, damaged};
use super::{ArchiveError, Disk};

const END: usize = 22;
const LOCATOR_64: usize = 20;
const END_64: usize = 56;
const CENTRAL: usize = 46;
const LOCAL: usize = 30;
/// Stands for a number that is in the ZIP64 extra field.
const ELSEWHERE: u64 = 0xffff_ffff;
/// The member's sizes are repeated behind its data.
const HAS_DESCRIPTOR: u16 = 1 << 3;

/// Where the central directory is, by the records at the end.
struct Directory {
    members: u64,
    start: u64,
    end: u64,
}

/// What the central directory says of a member's place.
struct Member {
    start: u64,
    compressed: u64,
    size: u64,
    crc: u32,
}

/// Refuses an archive of `size` bytes whose records are not one behind the other; `limit` members
/// at most.
pub(super) fn check(
    disk: &mut BufReader<Disk<'_>>,
    size: u64,
    too_many: impl Fn(u64) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let directory = find_directory(disk, size, too_many)?;
    let mut members = read_directory(disk, &directory)?;
    members.sort_by_key(|member| member.start);
    let mut at = 0;
    for (index, member) in members.iter().enumerate() {
        if member.start != at {
            return Err(broken("there is data between its members"));
        }
        let next = members.get(index + 1);
        at = end_of(
            disk,
            member,
            next.map_or(directory.start, |next| next.start),
        )?;
    }
    if at != directory.start {
        return Err(broken("there is data before its central directory"));
    }
    Ok(())
}

/// Reads the records that end every zip archive, before anything is allocated for what they claim.
fn find_directory(
    disk: &mut BufReader<Disk<'_>>,
    size: u64,
    too_many: impl Fn(u64) -> Result<(), ArchiveError>,
) -> Result<Directory, ArchiveError> {
    // The record may be followed by a comment of at most 65535 bytes that it announces.
    let tail_length = size.min((LOCATOR_64 + END + usize::from(u16::MAX)) as u64);
    let tail_start = size - tail_length;
    let mut tail = Vec::new();
    seek(disk, tail_start)?;
    disk.take(tail_length).read_to_end(&mut tail).map_err(io)?;
    let missing = || broken("no end of central directory");
    let start = tail.windows(4).rposition(|bytes| bytes == b"PK\x05\x06");
    let start = start.ok_or_else(missing)?;
    let record = tail.get(start..start + END).ok_or_else(missing)?;
    let comment = usize::from(u16_at(record, 20));
    match tail.len() - start - END {
        rest if rest > comment => {
            return Err(ArchiveError::TrailingData { expected: EXPECTED });
        }
        rest if rest < comment => return Err(missing()),
        0 => {}
        _ => return Err(broken("it has a comment")),
    }
    let record_start = tail_start + start as u64;
    let mut directory = Directory {
        members: u64::from(u16_at(record, 10)),
        start: u64::from(u32_at(record, 16)),
        end: record_start,
    };
    let mut length = u64::from(u32_at(record, 12));
    let locator = start
        .checked_sub(LOCATOR_64)
        .map(|before| &tail[before..start])
        .filter(|locator| locator.starts_with(b"PK\x06\x07"));
    if let Some(locator) = locator {
        let mut record_64 = [0; END_64];
        directory.end = u64_at(locator, 8);
        seek(disk, directory.end)?;
        disk.read_exact(&mut record_64).map_err(io)?;
        let claimed = (directory.members, length, directory.start);
        directory.members = u64_at(&record_64, 32);
        length = u64_at(&record_64, 40);
        directory.start = u64_at(&record_64, 48);
        too_many(directory.members)?;
        let is = |small: u64, sentinel: u64, large: u64| small == sentinel || small == large;
        let agree = is(claimed.0, 0xffff, directory.members)
            && is(claimed.1, ELSEWHERE, length)
            && is(claimed.2, ELSEWHERE, directory.start);
        let adjacent = directory.end.checked_add((END_64 + LOCATOR_64) as u64);
        // Its own length says 44 unless something is hidden at its end.
        if !record_64.starts_with(b"PK\x06\x06")
            || u64_at(&record_64, 4) != 44
            || u64_at(&record_64, 24) != directory.members
            || !agree
            || adjacent != Some(record_start)
        {
            return Err(broken("its ZIP64 records contradict the others"));
        }
    } else if u16_at(record, 8) != u16_at(record, 10) {
        return Err(broken("it is a part of several"));
    }
    too_many(directory.members)?;
    if directory.start.checked_add(length) != Some(directory.end) {
        return Err(broken(
            "its central directory does not end at the end record",
        ));
    }
    Ok(directory)
}

/// Walks the central directory, which must have exactly the members announced.
fn read_directory(
    disk: &mut BufReader<Disk<'_>>,
    directory: &Directory,
) -> Result<Vec<Member>, ArchiveError> {
    seek(disk, directory.start)?;
    let mut at = directory.start;
    let mut members = Vec::new();
    for _ in 0..directory.members {
        let mut header = [0; CENTRAL];
        disk.read_exact(&mut header).map_err(io)?;
        if !header.starts_with(b"PK\x01\x02") {
            return Err(broken("its central directory is not what it says"));
        }
        if u16_at(&header, 32) != 0 {
            return Err(broken("a member has a comment"));
        }
        let name = usize::from(u16_at(&header, 28));
        let mut rest = vec![0; name + usize::from(u16_at(&header, 30))];
        disk.read_exact(&mut rest).map_err(io)?;
        if rest[..name].iter().any(u8::is_ascii_control) {
            return Err(broken("a member has a control character in its name"));
        }
        at += (CENTRAL + rest.len()) as u64;
        members.push(placed(&header, &rest[name..])?);
    }
    if at != directory.end {
        return Err(broken("its central directory has more than it says"));
    }
    Ok(members)
}

/// A member's place, from the header or from its ZIP64 extra field.
fn placed(header: &[u8], mut extra: &[u8]) -> Result<Member, ArchiveError> {
    let mut large: Option<&[u8]> = None;
    while !extra.is_empty() {
        let field = extra
            .get(..4)
            .map(|head| (u16_at(head, 0), usize::from(u16_at(head, 2))));
        let field = field.and_then(|(id, length)| Some((id, extra.get(4..4 + length)?)));
        let Some((id, value)) = field else {
            return Err(broken("a member has a broken extra field"));
        };
        match id {
            0x0001 if large.is_some() => return Err(broken("a member has its sizes twice")),
            0x0001 => large = Some(value),
            // Info-ZIP's Unicode path: readers differ on which name they take.
            0x7075 => return Err(broken("a member has two names")),
            _ => {}
        }
        extra = &extra[4 + value.len()..];
    }
    let mut large = large.unwrap_or_default();
    let mut number = |at: usize| match u64::from(u32_at(header, at)) {
        ELSEWHERE if large.len() >= 8 => {
            let value = u64_at(large, 0);
            large = &large[8..];
            value
        }
        value => value,
    };
    // In the order of the extra field.
    let (size, compressed, start) = (number(24), number(20), number(42));
    Ok(Member {
        start,
        compressed,
        size,
        crc: u32_at(header, 16),
    })
}

/// Where a member ends: behind its data, or behind the descriptor that repeats what is known of it.
fn end_of(disk: &mut BufReader<Disk<'_>>, member: &Member, next: u64) -> Result<u64, ArchiveError> {
    let mut header = [0; LOCAL];
    seek(disk, member.start)?;
    disk.read_exact(&mut header).map_err(io)?;
    if !header.starts_with(b"PK\x03\x04") {
        return Err(broken("a member does not begin where it should"));
    }
    let head = LOCAL + usize::from(u16_at(&header, 26)) + usize::from(u16_at(&header, 28));
    let end = [head as u64, member.compressed]
        .into_iter()
        .try_fold(member.start, u64::checked_add)
        .ok_or_else(|| broken("a member is larger than anything"))?;
    if u16_at(&header, 6) & HAS_DESCRIPTOR == 0 {
        return Ok(end);
    }
    let length = next
        .checked_sub(end)
        .filter(|length| [12, 16, 20, 24].contains(length));
    let length = length.ok_or_else(|| broken("a member has no data descriptor"))?;
    let mut descriptor = Vec::new();
    seek(disk, end)?;
    disk.take(length).read_to_end(&mut descriptor).map_err(io)?;
    let values = match &descriptor[..] {
        [b'P', b'K', 7, 8, values @ ..] if [12, 20].contains(&values.len()) => values,
        values => values,
    };
    let agrees = match values.len() {
        12 => {
            u64::from(u32_at(values, 4)) == member.compressed
                && u64::from(u32_at(values, 8)) == member.size
        }
        20 => u64_at(values, 4) == member.compressed && u64_at(values, 12) == member.size,
        _ => false,
    };
    if !agrees || u32_at(values, 0) != member.crc {
        return Err(broken(
            "a data descriptor contradicts the central directory",
        ));
    }
    Ok(next)
}

fn seek(disk: &mut BufReader<Disk<'_>>, to: u64) -> Result<(), ArchiveError> {
    disk.seek(SeekFrom::Start(to)).map(|_| ()).map_err(io)
}

fn io(error: std::io::Error) -> ArchiveError {
    damaged(ZipError::Io(error))
}

fn broken(seen: &str) -> ArchiveError {
    ArchiveError::Damaged {
        seen: seen.to_owned(),
        expected: EXPECTED,
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests;
