//! Requirements on versions: specifier sets such as `>=3.9,!=3.9.7` (PEP 440).
//!
//! Not here: which versions satisfy one. That is the installer's business; the index only
//! passes the text on, so it keeps it letter by letter.
//!
//! Invariant: the text is printable ASCII, whatever `===` lets through.

use std::fmt;
use std::str::FromStr;

use pep440_rs::VersionSpecifier;
use serde::{Deserialize, Serialize};

/// A text that is not a set of version specifiers (PEP 440).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a Python requirement: expected version specifiers by PEP 440 separated by \
     commas, such as `>=3.9,<4`"
)]
pub struct RequiresPythonError(String);

/// The Python versions a release is for: a specifier set (PEP 440), as given in the core
/// metadata field `Requires-Python` (PEP 345) and served by the simple API (PEP 503).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct RequiresPython(String);

impl RequiresPython {
    /// The specifiers as given, without white space around them.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Accepts what `packaging` accepts as a specifier set, in printable ASCII.
impl FromStr for RequiresPython {
    type Err = RequiresPythonError;

    fn from_str(text: &str) -> Result<Self, RequiresPythonError> {
        let text = text.trim();
        // `===` takes any text, and this text ends up in HTML and XML attributes.
        let printable = text.bytes().all(|b| matches!(b, b' '..=b'~'));
        if printable && is_specifier_set(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RequiresPythonError(text.chars().take(140).collect()))
        }
    }
}

impl TryFrom<String> for RequiresPython {
    type Error = RequiresPythonError;

    fn try_from(text: String) -> Result<Self, RequiresPythonError> {
        text.parse()
    }
}

impl fmt::Display for RequiresPython {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `text` is a set of specifiers (PEP 440). As in `packaging`, empty parts are left out,
/// so a trailing comma and an empty text are accepted.
pub(crate) fn is_specifier_set(text: &str) -> bool {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .all(is_specifier)
}

fn is_specifier(text: &str) -> bool {
    match text.strip_prefix("===") {
        // Arbitrary equality compares text, not versions, so `pep440_rs` cannot judge it.
        Some(label) => !label
            .trim_start()
            .contains(|c: char| c.is_whitespace() || ";)".contains(c)),
        None => text.parse::<VersionSpecifier>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_text_is_kept_as_given() {
        let requires: RequiresPython = " >= 3.9, !=3.9.*, ".parse().expect("a specifier set");
        assert_eq!(requires.as_str(), ">= 3.9, !=3.9.*,");
    }

    #[test]
    fn what_cannot_stand_in_a_page_is_refused() {
        for bad in [
            "===\u{fffe}",
            "===é",
            ">=3.9,\n<4",
            ">=3.9\0",
            "3.9",
            "~=3",
            ">=3.*",
        ] {
            assert!(bad.parse::<RequiresPython>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_without_panic(text in any::<String>(), near in "[0-9a-z.,=<>!~+ *-]{0,20}") {
            for text in [text, near] {
                if let Ok(parsed) = text.parse::<RequiresPython>() {
                    prop_assert_eq!(parsed.as_str(), text.trim());
                }
            }
        }
    }
}
