//! How values are written in the settings: durations as people say them, the word for a stage.
//!
//! Not here: what the values mean. Invariant: what is printed by `lockstep config` can be read again.

/// Durations as people write them: `2s`, `150ms`, `30d`.
pub(super) mod duration {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(crate) use write as serialize;

    pub(crate) fn write<S: Serializer>(it: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&humantime::format_duration(*it))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }

    pub(crate) fn parse(text: &str) -> Result<Duration, String> {
        humantime::parse_duration(text)
            .map_err(|error| format!("`{text}` is no duration such as 2s, 150ms or 30d: {error}"))
    }
}

/// A duration, or an empty text for none.
pub(super) mod optional_duration {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(crate) fn serialize<S: Serializer>(
        it: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match it {
            None => to.serialize_str(""),
            Some(it) => super::duration::write(it, to),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        match String::deserialize(from)?.as_str() {
            "" => Ok(None),
            text => super::duration::parse(text)
                .map(Some)
                .map_err(D::Error::custom),
        }
    }
}

pub(super) mod announce_after {
    use lockstep_core::announce::AnnounceAfter;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(crate) fn serialize<S: Serializer>(it: &AnnounceAfter, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(match it {
            AnnounceAfter::Commit => "commit",
            AnnounceAfter::Purge => "purge",
            AnnounceAfter::Verify => "verify",
        })
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<AnnounceAfter, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}
