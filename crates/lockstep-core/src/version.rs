//! Versions and version requirements of Python (PEP 440), as `pep440_rs` reads them and as
//! Python's `packaging` prints them.
//!
//! Not here: which versions an index accepts (local versions are refused on upload, for one).
//!
//! Invariant: a [`Version`] is identified by its displayed text, and its order is total: `1.0`
//! and `1.0.0` are one release to PEP 440 but two texts, and pages must list them in one order.

mod specifiers;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use pep440_rs::LocalSegment;
use serde::{Deserialize, Serialize, Serializer};

pub(crate) use specifiers::is_specifier_set;
pub use specifiers::{RequiresPython, RequiresPythonError};

/// A text that is not a version (PEP 440).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a version: expected one by PEP 440, such as `1.2.3`, `2.0rc1` or `1.0.post1`, \
     with numbers below 2^64"
)]
pub struct VersionError(String);

/// A version by PEP 440, kept in its normalized form.
///
/// Equal when the displayed texts are equal; see [`Version::is_same_release_as`] for the
/// equality of PEP 440.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Version {
    parsed: pep440_rs::Version,
    text: String,
}

impl Version {
    /// The normalized form (PEP 440), the one displayed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The normalized form without trailing zeros of the release (PEP 625): `1.0.0` is `1`.
    /// Versions of one release by PEP 440 have the same one.
    pub fn canonical(&self) -> String {
        let release = self.parsed.release();
        let length = release
            .iter()
            .rposition(|&number| number != 0)
            .map_or(1, |last| last + 1);
        self.parsed
            .clone()
            .with_release(&release[..length])
            .to_string()
    }

    /// Whether this is an alpha, beta, release candidate or dev release (PEP 440).
    pub fn is_prerelease(&self) -> bool {
        self.parsed.any_prerelease()
    }

    /// Whether there is a local label, as in `1.0+ubuntu1` (PEP 440).
    pub fn has_local(&self) -> bool {
        self.parsed.is_local()
    }

    /// Whether both are equal by PEP 440, which pads with zeros: `1.0` and `1.0.0` are.
    pub fn is_same_release_as(&self, other: &Self) -> bool {
        self.parsed == other.parsed
    }
}

/// Accepts every spelling of PEP 440, with white space around it, as `packaging` does.
impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let refused = || VersionError(text.chars().take(140).collect());
        let parsed: pep440_rs::Version = text.trim().parse().map_err(|_| refused())?;
        // Digits beyond 64 bits would silently be compared as text here, but as a number by
        // `packaging`; elsewhere in a version `pep440_rs` refuses them itself.
        let too_big = |segment: &LocalSegment| matches!(segment, LocalSegment::String(s) if s.bytes().all(|b| b.is_ascii_digit()));
        if parsed.local().iter().any(too_big) {
            return Err(refused());
        }
        Ok(Self {
            text: parsed.to_string(),
            parsed,
        })
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// The order of PEP 440, then that of the displayed text.
impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parsed
            .cmp(&other.parsed)
            .then_with(|| self.text.cmp(&other.text))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        text.parse().expect("a version")
    }

    /// Versions near each other, so that equal ones and all kinds of neighbours turn up.
    fn any_version() -> impl Strategy<Value = Version> {
        "([01]!)?[01](\\.[0-2]){0,2}(a[01]|rc1)?(\\.post[01])?(\\.dev[01])?(\\+(a|1|a\\.1))?"
            .prop_map(|text| version(&text))
    }

    #[test]
    fn padding_makes_another_version_of_the_same_release() {
        let (short, long) = (version("1.0"), version("v1.0.0"));
        assert!(short < long && short != long);
        assert!(short.is_same_release_as(&long));
        assert_eq!(
            (short.canonical(), long.canonical()),
            ("1".to_owned(), "1".to_owned())
        );
        assert_eq!(version("0.0").canonical(), "0");
    }

    #[test]
    fn numbers_beyond_64_bits_are_refused_everywhere() {
        for bad in [
            "18446744073709551616",
            "1.0.dev18446744073709551616",
            "1+18446744073709551616",
        ] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
        assert_eq!(
            version("1.18446744073709551615").as_str(),
            "1.18446744073709551615"
        );
    }

    proptest! {
        #[test]
        fn the_order_is_total_and_agrees_with_equality(
            a in any_version(), b in any_version(), c in any_version(),
        ) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a.cmp(&b) == Ordering::Equal, a == b);
            prop_assert_eq!(a.canonical() == b.canonical(), a.is_same_release_as(&b));
            let mut sorted = [&a, &b, &c];
            sorted.sort();
            prop_assert!(sorted[0] <= sorted[1] && sorted[1] <= sorted[2] && sorted[0] <= sorted[2]);
        }

        #[test]
        fn the_displayed_text_is_read_as_the_same_version(a in any_version()) {
            prop_assert_eq!(version(a.as_str()), a);
        }

        #[test]
        fn any_text_is_parsed_without_panic(text in any::<String>(), near in "[0-9a-z.!+ _*-]{0,20}") {
            for text in [text, near] {
                if let Ok(parsed) = text.parse::<Version>() {
                    prop_assert_eq!(version(parsed.as_str()), parsed);
                }
            }
        }
    }
}
