//! What a project or a release can be marked as: project status (PEP 792) and yanked (PEP 592).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A reason that an owner or operator gives, shown to people. One line, so that it stays well
/// formed in HTML, XML and a changelog manifest alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Reason(String);

/// A text that can't be a reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    /// Nothing but white space.
    #[error("a reason must not be empty; leave it out instead")]
    Empty,
    /// Longer than [`Reason::MAX_CHARS`].
    #[error("a reason has at most {max} characters, this one has {0}", max = Reason::MAX_CHARS)]
    TooLong(usize),
    /// Contains a line break or another control character.
    #[error("a reason is one line of text without control characters")]
    ControlCharacter,
}

impl Reason {
    /// The longest reason, in characters.
    pub const MAX_CHARS: usize = 500;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reason {
    type Err = ReasonError;

    fn from_str(text: &str) -> Result<Self, ReasonError> {
        let text = text.trim();
        let chars = text.chars().count();
        // U+FFFE and U+FFFF are no XML characters, and old mirrors parse pages as XML.
        let unprintable = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
        match chars {
            0 => Err(ReasonError::Empty),
            n if n > Self::MAX_CHARS => Err(ReasonError::TooLong(n)),
            _ if text.chars().any(unprintable) => Err(ReasonError::ControlCharacter),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Reason {
    type Error = ReasonError;

    fn try_from(text: String) -> Result<Self, ReasonError> {
        text.parse()
    }
}

/// Whether a release is yanked, and why (PEP 592).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Yanked {
    /// Installers may choose it.
    #[default]
    No,
    /// Installers choose it only when pinned.
    Yes(Option<Reason>),
}

impl Yanked {
    /// Whether it is, for whatever reason.
    pub fn is_yanked(&self) -> bool {
        *self != Self::No
    }

    /// The reason, where there is one.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::No => None,
            Self::Yes(reason) => reason.as_ref(),
        }
    }
}

/// As in the JSON simple API: `false`, `true`, or the reason.
impl Serialize for Yanked {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::No => serializer.serialize_bool(false),
            Self::Yes(None) => serializer.serialize_bool(true),
            Self::Yes(Some(reason)) => serializer.serialize_str(reason.as_str()),
        }
    }
}

/// The status of a project (PEP 792).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProjectStatus {
    /// Nothing special.
    #[default]
    Active,
    /// No further releases are to be expected; uploads are refused.
    Archived,
    /// Thought harmful: shows no files and is not listed.
    Quarantined,
    /// Its users should move to something else.
    Deprecated,
}

/// A text that is no project status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no project status: expected active, archived, quarantined or deprecated")]
pub struct StatusError(String);

impl ProjectStatus {
    /// The marker's text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
            Self::Quarantined => "quarantined",
            Self::Deprecated => "deprecated",
        }
    }
}

impl fmt::Display for ProjectStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ProjectStatus {
    type Err = StatusError;

    fn from_str(text: &str) -> Result<Self, StatusError> {
        [
            Self::Active,
            Self::Archived,
            Self::Quarantined,
            Self::Deprecated,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
        .ok_or_else(|| StatusError(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_printable_line() {
        assert_eq!(
            "  broken on 3.9 ".parse::<Reason>().map(|r| r.0),
            Ok("broken on 3.9".into())
        );
        assert_eq!(" ".parse::<Reason>(), Err(ReasonError::Empty));
        assert_eq!("a\nb".parse::<Reason>(), Err(ReasonError::ControlCharacter));
        assert_eq!(
            "x".repeat(501).parse::<Reason>(),
            Err(ReasonError::TooLong(501))
        );
    }

    #[test]
    fn every_status_reads_back() {
        for status in ["active", "archived", "quarantined", "deprecated"] {
            assert_eq!(
                status.parse::<ProjectStatus>().expect("known").to_string(),
                status
            );
        }
        assert!("Active".parse::<ProjectStatus>().is_err());
    }
}
