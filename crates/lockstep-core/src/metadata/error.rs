//! What can be wrong with a metadata document.
//!
//! Not here: what is done about it.
//!
//! Invariant: a message says what was seen, cut short, and what is expected.

use crate::name::NameError;
use crate::version::{RequiresPythonError, VersionError};

/// The versions of the format (PEP 241, 314, 345, 566, 643, 685, 639, 794).
pub(super) const METADATA_VERSIONS: [&str; 8] =
    ["1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"];

/// Bytes that are not a core metadata document (PEP 566 and its successors).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Not UTF-8 text.
    #[error("The metadata is not UTF-8: the byte at offset {0} is not expected there")]
    NotUtf8(usize),
    /// A line among the fields that is none.
    #[error("Line {0} of the metadata is not a field: expected `Name: value`")]
    Line(usize),
    /// A control character where none is allowed.
    #[error("The metadata field {field} contains the control character {code:?}")]
    Control {
        /// The field.
        field: &'static str,
        /// The character.
        code: char,
    },
    /// No value for a required field.
    #[error("The metadata has no field {0}, which is required")]
    Missing(&'static str),
    /// Several values for a field that takes one.
    #[error("The metadata has the field {0} more than once: expected one")]
    Repeated(&'static str),
    /// A version of the format that is not known.
    #[error("Metadata-Version `{seen}` is not known: expected one of {}", METADATA_VERSIONS.join(", "))]
    MetadataVersion {
        /// The version given.
        seen: String,
    },
    /// The field `Name`.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The field `Version`.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// The field `Requires-Python`.
    #[error(transparent)]
    RequiresPython(#[from] RequiresPythonError),
    /// A classifier that is not in the list, or no longer.
    #[error("Classifier `{seen}` is not known: {expected}")]
    Classifier {
        /// The classifier.
        seen: String,
        /// What to do instead.
        expected: String,
    },
    /// A field that a later version of the format brought.
    #[error("The metadata are of version {seen}, and the field {field} came with {version}")]
    Later {
        /// The field.
        field: &'static str,
        /// The version that brought it.
        version: &'static str,
        /// The document's version.
        seen: String,
    },
    /// The licence in both ways (PEP 639).
    #[error("The metadata have both License and License-Expression: expected one of them")]
    BothLicenses,
    /// A text that is too long.
    #[error("The metadata field {field} has {seen} characters: expected at most {limit}")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Its length.
        seen: usize,
        /// What is allowed.
        limit: usize,
    },
    /// Any other field.
    #[error("`{seen}` is not a value of the metadata field {field}: expected {expected}")]
    Value {
        /// The field.
        field: &'static str,
        /// Its value.
        seen: String,
        /// What is expected.
        expected: &'static str,
    },
}

impl MetadataError {
    /// The error of a value, which can be as long as the document and is cut short.
    pub(super) fn value(field: &'static str, seen: &str, expected: &'static str) -> Self {
        Self::Value {
            field,
            seen: seen.chars().take(140).collect(),
            expected,
        }
    }
}
