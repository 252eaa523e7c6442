//! How often something may happen: `60/h`.
//!
//! Not here: who counts. Invariant: both parts are above zero.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// So many in a time. A budget of `count`, into which one comes back every `per / count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate {
    count: u32,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
}

impl Unit {
    const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::Hour, Self::Day];

    fn name_and_seconds(self) -> (&'static str, u32) {
        match self {
            Self::Second => ("s", 1),
            Self::Minute => ("min", 60),
            Self::Hour => ("h", 3600),
            Self::Day => ("d", 86_400),
        }
    }
}

impl Rate {
    /// `30/min`
    pub const A_MINUTE_30: Self = Self {
        count: 30,
        unit: Unit::Minute,
    };

    /// How many.
    pub fn count(self) -> u32 {
        self.count
    }

    /// In which time.
    pub fn per(self) -> Duration {
        Duration::from_secs(self.unit.name_and_seconds().1.into())
    }

    /// After which time one more may be.
    pub fn interval(self) -> Duration {
        self.per() / self.count
    }

    /// How many are left of a budget that is full again after `full_in`.
    pub fn left(self, full_in: Duration) -> u32 {
        let free = self.per().saturating_sub(full_in).as_secs_f64();
        let left = (free / self.interval().as_secs_f64()).floor();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and count"
        )]
        let left = left as u32;
        left.min(self.count)
    }

    /// When the next one is there, in whole seconds and at least one.
    pub fn next_in(self, full_in: Duration) -> u32 {
        let wait = full_in.saturating_sub(self.per().saturating_sub(self.interval()));
        whole_seconds(wait)
    }
}

/// Rounded up, and at least one: who comes back by it must not be too early.
pub fn whole_seconds(time: Duration) -> u32 {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (count, unit) = text.split_once('/')?;
            let unit = Unit::ALL
                .into_iter()
                .find(|known| known.name_and_seconds().0 == unit.trim())?;
            let count = count.trim().parse().ok().filter(|count| *count > 0)?;
            Some(Self { count, unit })
        };
        parse().ok_or_else(|| {
            format!(
                "`{text}` is no rate such as 10/s, 30/min, 60/h or 500/d, with a number above 0"
            )
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, self.unit.name_and_seconds().0)
    }
}

impl TryFrom<String> for Rate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

/// A rate, or an empty text for none.
pub(super) mod optional {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::Rate;

    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "serde's signature"
    )]
    pub(in super::super) fn serialize<S: Serializer>(
        it: &Option<Rate>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match it {
            None => to.serialize_str(""),
            Some(rate) => to.collect_str(rate),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Rate>, D::Error> {
        match String::deserialize(from)?.as_str() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_back_and_nonsense_is_told() {
        for text in ["10/s", "30/min", "60/h", "500/d"] {
            assert_eq!(text.parse::<Rate>().expect(text).to_string(), text);
        }
        for text in ["", "60", "0/h", "-1/h", "60/week", "h/60"] {
            let error = text.parse::<Rate>().expect_err(text);
            assert!(error.contains("60/h"), "{error}");
        }
    }

    #[test]
    fn a_budget_fills_one_by_one() {
        let rate: Rate = "60/h".parse().expect("rate");
        let seconds = Duration::from_secs;
        for (full_in, left, next) in [
            (0, 60, 1),
            (60, 59, 1),
            (61, 58, 1),
            (3540, 1, 1),
            (3541, 0, 1),
            (3600, 0, 60),
        ] {
            assert_eq!(rate.left(seconds(full_in)), left, "{full_in}");
            assert_eq!(rate.next_in(seconds(full_in)), next, "{full_in}");
        }
        // More than a whole budget is owed after the setting was made smaller.
        assert_eq!(rate.left(seconds(9000)), 0);
    }
}
