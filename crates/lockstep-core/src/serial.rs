//! Serials: the dense positive numbers that order every change of the index.
//!
//! Where they are given out is the store's business; here is only what they are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The number of a change: 1, 2, 3 … in commit order, with no gap and no reuse.
/// Zero is "before the first change"; it is a position to read from, never a row.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Serial(u64);

/// A text that is not a serial.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a serial: expected a whole number from 0 to 9223372036854775807")]
pub struct SerialError(String);

impl Serial {
    /// Before the first change.
    pub const ZERO: Self = Self(0);

    /// The serial with this number; `None` beyond what a 64-bit signed column holds.
    pub fn new(number: u64) -> Option<Self> {
        i64::try_from(number).is_ok().then_some(Self(number))
    }

    /// The serial in a database column; `None` for a negative number.
    pub fn from_column(number: i64) -> Option<Self> {
        u64::try_from(number).ok().map(Self)
    }

    /// The number, as a database column takes it.
    pub fn to_column(self) -> i64 {
        self.0.cast_signed()
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The serial `steps` further on.
    #[must_use]
    pub fn plus(self, steps: u64) -> Self {
        Self(self.0.saturating_add(steps).min(u64::MAX >> 1))
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Serial {
    type Err = SerialError;

    fn from_str(text: &str) -> Result<Self, SerialError> {
        // `u64::from_str` also takes a leading plus; a serial is digits alone.
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|_| digits)
            .and_then(Self::new)
            .ok_or_else(|| SerialError(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_within_range_are_a_serial() {
        assert_eq!("1043".parse(), Ok(Serial(1043)));
        assert_eq!(
            "9223372036854775807"
                .parse::<Serial>()
                .map(Serial::to_column),
            Ok(i64::MAX)
        );
        for bad in ["", "+1", "-1", "1.0", " 1", "9223372036854775808", "٣"] {
            assert!(bad.parse::<Serial>().is_err(), "{bad:?}");
        }
    }
}
