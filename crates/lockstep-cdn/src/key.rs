//! Which surrogate keys may be sent at all.
//!
//! Not here: what keys there are. The limits are the tightest of the targets', so that a key that
//! works with one works with all.

use crate::PurgeError;

/// Keys in one call, at most: Fastly's limit, and a sensible one elsewhere.
pub(crate) const MAX_KEYS: usize = 256;

/// Bytes in one key, at most. Fastly silently ignores a longer one, and all keys after it.
const MAX_KEY_BYTES: usize = 1024;

/// Refuses, before anything is sent, what a CDN would refuse, ignore or misread.
pub(crate) fn check(keys: &[String]) -> Result<(), PurgeError> {
    if keys.len() > MAX_KEYS {
        return Err(PurgeError::TooManyKeys {
            given: keys.len(),
            max: MAX_KEYS,
        });
    }
    for key in keys {
        if let Some(why) = fault(key) {
            return Err(PurgeError::BadKey {
                shown: key.chars().take(80).collect(),
                why,
            });
        }
    }
    Ok(())
}

fn fault(key: &str) -> Option<&'static str> {
    if key.is_empty() {
        Some("is empty")
    } else if key.len() > MAX_KEY_BYTES {
        Some("is longer than 1024 bytes")
    } else if !key
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b',')
    {
        // Keys are separated by spaces (Fastly) or by spaces and commas (xkey): such a key would
        // purge two other things and leave its own page stale.
        Some("has a space, a comma, or a character outside of visible ASCII")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(keys: &[String]) -> &'static str {
        check(keys).map_or_else(|error| error.kind(), |()| "ok")
    }

    #[test]
    fn the_limits_are_inclusive() {
        let many = |count| {
            (0..count)
                .map(|n| format!("project-{n}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(kind(&many(256)), "ok");
        assert_eq!(kind(&many(257)), "too_many_keys");
        assert_eq!(kind(&["k".repeat(1024)]), "ok");
        assert_eq!(kind(&["k".repeat(1025)]), "bad_key");
    }

    #[test]
    fn what_a_cdn_would_misread_is_refused() {
        for key in ["", "two keys", "two,keys", "line\nbreak", "tab\t", "ключ"] {
            assert_eq!(kind(&[key.to_owned()]), "bad_key", "{key:?}");
        }
        assert_eq!(
            kind(&["simple".to_owned(), "project-a.b_c-9".to_owned()]),
            "ok"
        );
    }
}
