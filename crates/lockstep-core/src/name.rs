//! Project names: the name as its owner writes it, and the one normalized form under which the
//! index keeps it (PEP 503).
//!
//! Not here: whether a name is free. What a name must not be mistaken for is in `name/taken.rs`.
//!
//! Invariant: a [`NormalizedName`] holds only `a-z`, `0-9` and single inner dashes, so it is safe
//! as it is in a URL, an HTML attribute, a cache key and a file name.

mod prefix;
mod taken;

use std::fmt;
use std::str::FromStr;

pub use prefix::NamePrefix;
use serde::{Deserialize, Serialize};

pub use taken::Glance;

/// The longest name accepted, in bytes; file names must stay below 255 with version and tags.
const LONGEST: usize = 100;

/// A text that is not a project name (PEP 508 names), or not a normalized one (PEP 503).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Other characters than those allowed, or a separator at either end.
    #[error(
        "`{0}` is not a project name: expected ASCII letters, digits, `.`, `_` and `-`, \
         beginning and ending with a letter or digit"
    )]
    Characters(String),
    /// Too long to be the beginning of a file name.
    #[error("A project name of {0} bytes is too long: expected at most {LONGEST}")]
    TooLong(usize),
    /// A name, but not in the form that identifies a project.
    #[error("`{seen}` is not a normalized project name: expected `{expected}`")]
    NotNormalized {
        /// The text given.
        seen: String,
        /// The same name, normalized.
        expected: NormalizedName,
    },
}

/// A project's name as its owner spells it, for display (the core metadata field `Name`, with
/// the rule of PEP 508).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ProjectName(String);

impl ProjectName {
    /// The name as spelled by its owner.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The PEP 503 form that identifies the project.
    pub fn normalized(&self) -> NormalizedName {
        NormalizedName::of(self)
    }
}

/// Accepts the names of PEP 508, of at most 100 bytes.
impl FromStr for ProjectName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.len() > LONGEST {
            return Err(NameError::TooLong(text.len()));
        }
        let bytes = text.as_bytes();
        let inner = |b: &u8| b.is_ascii_alphanumeric() || b"._-".contains(b);
        let ends = [bytes.first(), bytes.last()];
        if bytes.iter().all(inner)
            && ends
                .iter()
                .all(|b| b.is_some_and(u8::is_ascii_alphanumeric))
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Characters(text.to_owned()))
        }
    }
}

impl TryFrom<String> for ProjectName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A project's identity: its name in lower case, each run of `.`, `_` and `-` as one dash
/// (PEP 503). Ordered bytewise.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct NormalizedName(String);

impl NormalizedName {
    /// The normalized form of `name` (PEP 503).
    pub fn of(name: &ProjectName) -> Self {
        let mut normalized = String::with_capacity(name.0.len());
        for part in name
            .0
            .split(['.', '_', '-'])
            .filter(|part| !part.is_empty())
        {
            if !normalized.is_empty() {
                normalized.push('-');
            }
            normalized.push_str(&part.to_ascii_lowercase());
        }
        Self(normalized)
    }

    /// The normalized name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form used in file names, where dashes separate the parts (PEP 427, PEP 625): with
    /// `_` for each `-`.
    pub fn escaped(&self) -> String {
        self.0.replace('-', "_")
    }
}

/// Accepts only text that is already normalized; other spellings are redirected or normalized
/// by the caller, who knows which.
impl FromStr for NormalizedName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let expected = Self::of(&text.parse()?);
        if expected.0 == text {
            Ok(expected)
        } else {
            Err(NameError::NotNormalized {
                seen: text.to_owned(),
                expected,
            })
        }
    }
}

impl TryFrom<String> for NormalizedName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl fmt::Display for NormalizedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_normalized_spelling_is_an_identity() {
        let name: ProjectName = "Zope.._-Interface".parse().expect("a valid name");
        assert_eq!(name.normalized().as_str(), "zope-interface");
        assert_eq!(name.normalized().escaped(), "zope_interface");
        let error = "Zope.Interface"
            .parse::<NormalizedName>()
            .expect_err("not normalized");
        assert_eq!(
            error.to_string(),
            "`Zope.Interface` is not a normalized project name: expected `zope-interface`"
        );
    }

    #[test]
    fn a_hundred_bytes_are_a_name_and_one_more_are_not() {
        assert!("a".repeat(100).parse::<ProjectName>().is_ok());
        assert_eq!(
            "a".repeat(101).parse::<ProjectName>(),
            Err(NameError::TooLong(101))
        );
    }

    proptest! {
        #[test]
        fn normalizing_is_idempotent(text in "[A-Za-z0-9]([A-Za-z0-9._-]{0,40}[A-Za-z0-9])?") {
            let name: ProjectName = text.parse().expect("generated as a name");
            let normalized = name.normalized();
            prop_assert_eq!(normalized.as_str().parse(), Ok(normalized.clone()));
            let again: ProjectName = normalized.as_str().parse().expect("a name as well");
            prop_assert_eq!(again.normalized(), normalized);
        }

        #[test]
        fn any_text_is_parsed_without_panic(text in any::<String>()) {
            if let Ok(name) = text.parse::<ProjectName>() {
                prop_assert!(name.normalized().as_str().parse::<NormalizedName>().is_ok());
            }
        }
    }
}
