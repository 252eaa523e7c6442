//! Sdists: a gzipped tar archive with one folder at its top and `PKG-INFO` in it.
//!
//! The tar format ends with zeros and the gzip format with a checksum; both ends are read, so
//! nothing can be cut off or hidden behind them.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use super::{ArchiveError, Budget, Disk, Found, MAX_DOCUMENT, inflate, keep, shown};

const EXPECTED: &str = "a gzipped tar archive (.tar.gz)";
const ONE_FOLDER: &str = "one folder at the top with PKG-INFO in it";
/// What the tar reader may take from the stream for one member's headers, which it holds in
/// memory: long names and extended attributes.
const MAX_HEADERS: u64 = 1 << 20;

/// Reads the sdist in `disk`, every byte of it.
pub(super) fn read(disk: BufReader<Disk<'_>>, budget: &mut Budget) -> Result<Found, ArchiveError> {
    if budget.size == 0 {
        return Err(ArchiveError::Empty { expected: EXPECTED });
    }
    let allowance = Rc::new(Cell::new(MAX_HEADERS));
    let mut archive = Archive::new(Limited {
        stream: MultiGzDecoder::new(disk),
        allowance: Rc::clone(&allowance),
    });

    let mut layout = Layout::default();
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        budget.member(entry.path_bytes().len())?;
        // What a header says at length is inflated like any other byte.
        budget.grow(MAX_HEADERS - allowance.get())?;
        allowance.set(u64::MAX);
        let wanted = layout.note(&mut entry)?;
        let declared = entry.size();
        let before = budget.inflated;
        match wanted {
            Some(bytes) => {
                let into = keep(bytes, "PKG-INFO", MAX_DOCUMENT);
                inflate(&mut entry, budget, into, damaged)?;
            }
            None => inflate(&mut entry, budget, |_| Ok(()), damaged)?,
        }
        if budget.inflated - before < declared {
            return Err(damaged(io::ErrorKind::UnexpectedEof.into()));
        }
        allowance.set(MAX_HEADERS);
    }

    allowance.set(u64::MAX);
    let mut rest = archive.into_inner();
    // To the end of the gzip stream, whose checksum is compared by that.
    let zeros = |bytes: &[u8]| {
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(ArchiveError::TrailingData { expected: EXPECTED });
        }
        Ok(())
    };
    inflate(&mut rest, budget, zeros, damaged)?;
    layout.complete()
}

/// A stream of which only so much may be taken.
struct Limited<R> {
    stream: R,
    allowance: Rc<Cell<u64>>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.allowance.get();
        if left == 0 {
            return Err(io::Error::other("a member's headers are larger than 1 MiB"));
        }
        let wanted = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.stream.read(&mut buffer[..wanted])?;
        self.allowance.set(left - count as u64);
        Ok(count)
    }
}

/// What was seen of the folder at the top so far.
#[derive(Default)]
struct Layout {
    folder: Option<PathBuf>,
    pkg_info: Option<Vec<u8>>,
    /// The other files, below the folder.
    files: BTreeSet<String>,
}

impl Layout {
    /// Takes note of a member; gives back where to put its bytes if they are wanted.
    fn note(
        &mut self,
        entry: &mut Entry<'_, impl Read>,
    ) -> Result<Option<&mut Vec<u8>>, ArchiveError> {
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            // A remark on the archive, as `git archive` writes it; no installer makes a file of it.
            return Ok(None);
        }
        let path = entry.path().map_err(damaged)?.into_owned();
        let outside = || ArchiveError::Outside {
            member: shown(&path.to_string_lossy()),
        };
        let inside = within(Path::new(""), &path).ok_or_else(outside)?;
        let Some(folder) = inside.iter().next() else {
            return Ok(None); // "./"
        };
        let first = self.folder.get_or_insert_with(|| folder.into()).clone();
        if first.as_os_str() != folder {
            return Err(ArchiveError::Layout {
                seen: format!(
                    "both `{}` and `{}` at its top",
                    shown(&first.to_string_lossy()),
                    shown(&folder.to_string_lossy())
                ),
                expected: ONE_FOLDER,
            });
        }
        check_kind(entry, &path)?;
        let is_pkg_info = !kind.is_dir() && inside == first.join("PKG-INFO");
        let is_file = matches!(kind, EntryType::Regular | EntryType::Continuous);
        if is_pkg_info && (self.pkg_info.is_some() || !is_file) {
            return Err(ArchiveError::Layout {
                seen: "PKG-INFO twice, or as a link".to_owned(),
                expected: ONE_FOLDER,
            });
        }
        if let Ok(below) = inside.strip_prefix(&first)
            && !kind.is_dir()
        {
            self.files.insert(below.to_string_lossy().into_owned());
        }
        if kind.is_symlink() || kind.is_hard_link() {
            let target = entry.link_name().map_err(damaged)?.unwrap_or_default();
            // A hard link names a member, a symbolic one a path beside it.
            let from = match inside.parent() {
                Some(parent) if kind.is_symlink() => parent,
                _ => Path::new(""),
            };
            if !within(from, &target).is_some_and(|target| target.starts_with(&first)) {
                return Err(outside());
            }
            return Ok(None);
        }
        if is_file && inside == first {
            return Err(ArchiveError::Layout {
                seen: "a file at its top".to_owned(),
                expected: ONE_FOLDER,
            });
        }
        if is_pkg_info {
            return Ok(Some(self.pkg_info.insert(Vec::new())));
        }
        Ok(None)
    }

    /// What was found, if there was a `PKG-INFO`.
    fn complete(self) -> Result<Found, ArchiveError> {
        let missing = |seen: &str| ArchiveError::Layout {
            seen: seen.to_owned(),
            expected: ONE_FOLDER,
        };
        let folder = self.folder.ok_or_else(|| missing("no members"))?;
        let metadata = self.pkg_info;
        Ok(Found {
            folder: folder.to_string_lossy().into_owned(),
            metadata: metadata.ok_or_else(|| missing("no PKG-INFO in its folder"))?,
            licenses: self.files,
        })
    }
}

/// Refuses what is neither file, folder nor link.
fn check_kind(entry: &mut Entry<'_, impl Read>, path: &Path) -> Result<(), ArchiveError> {
    let kind = entry.header().entry_type();
    let sparse = kind.is_gnu_sparse()
        || entry
            .pax_extensions()
            .map_err(damaged)?
            .is_some_and(|mut records| {
                records.any(|record| {
                    record.is_ok_and(|record| record.key_bytes().starts_with(b"GNU.sparse"))
                })
            });
    let file = matches!(kind, EntryType::Regular | EntryType::Continuous);
    // Some readers take these bytes for members of their own.
    let hidden = entry.size() > 0 && (!file || is_old_folder(entry.header()));
    let seen = match kind {
        _ if sparse => "a sparse file",
        _ if hidden => "a folder or link with bytes",
        EntryType::Regular
        | EntryType::Continuous
        | EntryType::Directory
        | EntryType::Symlink
        | EntryType::Link => return Ok(()),
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a named pipe",
        _ => "of an unknown kind",
    };
    Err(ArchiveError::Member {
        member: shown(&path.to_string_lossy()),
        seen: seen.to_owned(),
        expected: "files, folders and links",
    })
}

/// Before POSIX a folder was a file whose name ends in a slash.
fn is_old_folder(header: &tar::Header) -> bool {
    header.as_old().linkflag[0] == 0 && header.path_bytes().ends_with(b"/")
}

/// Where `path` leads from the folder `from`, by its text alone; `None` if that is outside, or
/// if a member's own name (`from` is empty then) has a `..` at all.
fn within(from: &Path, path: &Path) -> Option<PathBuf> {
    let mut reached = from.to_owned();
    for component in path.components() {
        match component {
            Component::Normal(part) => reached.push(part),
            Component::CurDir => {}
            Component::ParentDir if !from.as_os_str().is_empty() => {
                if !reached.pop() {
                    return None;
                }
            }
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(reached)
}

fn damaged(error: io::Error) -> ArchiveError {
    ArchiveError::Damaged {
        seen: shown(&error.to_string()),
        expected: EXPECTED,
    }
}

#[cfg(test)]
mod tests;
