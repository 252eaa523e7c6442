//! `entry_points.txt`: the commands and plug-ins that a distribution registers, in the form that
//! `importlib.metadata` reads.
//!
//! Not here: what the entries mean to those who look for them.
//!
//! Invariant: what passes here is read alike by every installer: no entry without a group, none
//! twice, each an object in a module.

use std::collections::BTreeSet;

/// A file of entry points that can't be read as meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryPointsError {
    /// Not UTF-8 text.
    #[error("its entry_points.txt is not UTF-8")]
    NotUtf8,
    /// Neither a group, an entry, a comment nor empty.
    #[error("line {0} of its entry_points.txt is neither `[group]` nor `name = module:object`")]
    Line(usize),
    /// An entry before the first group, or a group or name that was there before.
    #[error("line {0} of its entry_points.txt belongs to no group or repeats an earlier one")]
    Place(usize),
}

/// Checks a whole `entry_points.txt`.
pub fn check(bytes: &[u8]) -> Result<(), EntryPointsError> {
    let text = std::str::from_utf8(bytes).map_err(|_| EntryPointsError::NotUtf8)?;
    let (mut groups, mut names) = (BTreeSet::new(), BTreeSet::new());
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    for (number, line) in lines.enumerate().map(|(index, line)| (index + 1, line)) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let group = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let fresh = match (group, line.split_once('=')) {
            (Some(group), _) => {
                names.clear();
                groups.insert(group.trim())
            }
            (None, Some((name, object))) if is_name(name.trim()) && is_object(object.trim()) => {
                !groups.is_empty() && names.insert(name.trim())
            }
            _ => return Err(EntryPointsError::Line(number)),
        };
        if !fresh {
            return Err(EntryPointsError::Place(number));
        }
    }
    Ok(())
}

/// Names become files in a folder of commands.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('[') && !name.contains(char::is_control)
}

/// `module`, `module:object` or either with `[extras]` behind it, which are deprecated.
fn is_object(text: &str) -> bool {
    let (object, extras) = match text.split_once('[') {
        Some((object, extras)) => (object.trim_end(), Some(extras)),
        None => (text, None),
    };
    let mut parts = object.splitn(2, ':').map(str::trim);
    extras.is_none_or(|extras| extras.ends_with(']')) && parts.all(is_dotted)
}

fn is_dotted(text: &str) -> bool {
    text.split('.').all(|part| {
        let mut letters = part.chars();
        letters
            .next()
            .is_some_and(|first| first == '_' || first.is_alphabetic())
            && letters.all(|letter| letter == '_' || letter.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_write_is_good() {
        let text = "\u{feff}# a comment\n\n  [console_scripts]\n  a-b = a.b:main\n  c=c:D.run [extra, x]\n\
                    [a.plugins]\n; too\nany name / here = é_1.b\n[empty]\n";
        assert_eq!(check(text.as_bytes()), Ok(()));
        assert_eq!(check(b""), Ok(()));
    }

    #[test]
    fn what_is_read_differently_is_not() {
        for (text, error) in [
            ("a = b:c\n", EntryPointsError::Place(1)),
            ("[g]\na = b\na = c\n", EntryPointsError::Place(3)),
            ("[g]\n[h]\n[g]\n", EntryPointsError::Place(3)),
            ("[g]\na\n", EntryPointsError::Line(2)),
            ("[g]\n= b\n", EntryPointsError::Line(2)),
            ("[g]\na = \n", EntryPointsError::Line(2)),
            ("[g]\na = b:\n", EntryPointsError::Line(2)),
            ("[g]\na = b-c:d\n", EntryPointsError::Line(2)),
            ("[g]\na = b:c:d\n", EntryPointsError::Line(2)),
            ("[g]\na = b [x\n", EntryPointsError::Line(2)),
            ("[g\n", EntryPointsError::Line(1)),
        ] {
            assert_eq!(check(text.as_bytes()), Err(error), "{text:?}");
        }
        assert_eq!(check(b"\xff"), Err(EntryPointsError::NotUtf8));
    }
}
