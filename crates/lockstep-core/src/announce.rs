//! The announce rule: how far mirrors may be told.
//!
//! A watermark is a contiguous prefix of the changelog: every row up to it has passed its stage.
//! Pure arithmetic here; the rows are the store's, the moving is the server's.

use std::str::FromStr;

use crate::serial::Serial;

/// After which stage a change may be announced (`announce.after`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnnounceAfter {
    /// As soon as it is committed; mirrors may then read an edge that is not purged yet.
    Commit,
    /// When every CDN has acknowledged the last purge pass.
    Purge,
    /// When, besides, every probe has served the page or a newer one.
    Verify,
}

/// A text that names no stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no stage to announce after: expected commit, purge or verify")]
pub struct AnnounceAfterError(String);

impl FromStr for AnnounceAfter {
    type Err = AnnounceAfterError;

    fn from_str(text: &str) -> Result<Self, AnnounceAfterError> {
        match text {
            "commit" => Ok(Self::Commit),
            "purge" => Ok(Self::Purge),
            "verify" => Ok(Self::Verify),
            other => Err(AnnounceAfterError(other.to_owned())),
        }
    }
}

/// How far each stage has come. In a consistent snapshot committed ≥ purged ≥ verified ≥ announced
/// (with `announce.after = "commit"`, announced may be ahead of purged).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermarks {
    /// The last serial given out.
    pub committed: Serial,
    /// Every CDN is past the purge of every row up to here.
    pub purged: Serial,
    /// Every probe has seen every row up to here.
    pub verified: Serial,
    /// Mirrors are told up to here.
    pub announced: Serial,
}

/// The prefix that has passed a stage: everything before the first row that has not.
/// `first_open` is the first serial of the oldest *transaction* still open at that stage, so rows
/// that share one page pass together.
pub fn passed(committed: Serial, first_open: Option<Serial>) -> Serial {
    first_open.map_or(committed, |open| {
        Serial::new(open.get().saturating_sub(1)).unwrap_or(Serial::ZERO)
    })
}

/// What is open at each stage: first serials of the oldest transactions not past it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Open {
    /// Some CDN has not acknowledged its purge.
    pub first_unpurged: Option<Serial>,
    /// Some probe has not seen it; what is not purged is not verified either.
    pub first_unverified: Option<Serial>,
    /// Like `first_unpurged`, without what has waited longer than `announce.max_wait`.
    pub first_holding_purge: Option<Serial>,
    /// Like `first_unverified`, without what has waited longer than `announce.max_wait`.
    pub first_holding_verify: Option<Serial>,
}

/// Where the watermarks may stand now. They never go back: `stored` is what was once told.
pub fn advance(stored: Watermarks, open: Open, after: AnnounceAfter) -> Watermarks {
    let committed = stored.committed;
    let purged = stored.purged.max(passed(committed, open.first_unpurged));
    let verified = stored
        .verified
        .max(passed(committed, open.first_unverified).min(purged));
    let announced = match after {
        AnnounceAfter::Commit => committed,
        AnnounceAfter::Purge => passed(committed, open.first_holding_purge),
        AnnounceAfter::Verify => passed(committed, open.first_holding_verify),
    };
    Watermarks {
        purged,
        verified,
        announced: stored.announced.max(announced),
        ..stored
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn serial(number: u64) -> Serial {
        Serial::new(number).expect("in range")
    }

    fn all_open(first: Option<Serial>) -> Open {
        Open {
            first_unpurged: first,
            first_unverified: first,
            first_holding_purge: first,
            first_holding_verify: first,
        }
    }

    #[test]
    fn what_waited_too_long_holds_the_announcement_no_more_and_only_that() {
        let stored = Watermarks {
            committed: serial(9),
            purged: serial(3),
            verified: serial(3),
            announced: serial(3),
        };
        let open = Open {
            first_holding_verify: Some(serial(8)),
            ..all_open(Some(serial(4)))
        };
        let now = advance(stored, open, AnnounceAfter::Verify);
        assert_eq!((now.purged, now.verified), (serial(3), serial(3)));
        assert_eq!(now.announced, serial(7));
    }

    #[test]
    fn one_open_purge_holds_everything_behind_it() {
        let stored = Watermarks {
            committed: serial(9),
            purged: serial(3),
            verified: serial(3),
            announced: serial(3),
        };
        let open = all_open(Some(serial(5)));
        let held = advance(stored, open, AnnounceAfter::Purge);
        assert_eq!(held.announced, serial(4));
        let commit = advance(stored, open, AnnounceAfter::Commit);
        assert_eq!(commit.announced, serial(9));
        let free = advance(stored, Open::default(), AnnounceAfter::Verify);
        assert_eq!(
            (free.purged, free.verified, free.announced),
            (serial(9), serial(9), serial(9))
        );
    }

    proptest! {
        #[test]
        fn nothing_open_is_announced_and_nothing_goes_back(
            committed in 0u64..50, purged in 0u64..50, verified in 0u64..50, announced in 0u64..50,
            unpurged in proptest::option::of(1u64..60),
        ) {
            let stored = Watermarks {
                committed: serial(committed),
                purged: serial(purged.min(committed)),
                verified: serial(verified.min(purged).min(committed)),
                announced: serial(announced.min(committed)),
            };
            let open = unpurged.filter(|o| *o <= committed).map(serial);
            for after in [AnnounceAfter::Commit, AnnounceAfter::Purge, AnnounceAfter::Verify] {
                let now = advance(stored, all_open(open), after);
                prop_assert!(now.announced >= stored.announced);
                prop_assert!(now.announced <= now.committed);
                if after != AnnounceAfter::Commit && now.announced > stored.announced {
                    prop_assert!(open.is_none_or(|o| now.announced < o || stored.purged >= o));
                }
            }
        }
    }
}
