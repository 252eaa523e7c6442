//! A target: one CDN that must acknowledge a purge, whichever kind it is.
//!
//! Not here: how each kind is spoken to ([`crate::Fastly`], [`crate::Varnish`]). An enum, not a
//! trait: the kinds are known, and there is nothing to plug in.

use std::fmt;
use std::str::FromStr;

use crate::error::PurgeError;
use crate::fastly::Fastly;
use crate::key;
use crate::varnish::Varnish;

/// A text that is not the name of a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{seen}` is not a target's name: expected lower-case letters, digits and `-`")]
pub struct TargetNameError {
    seen: String,
}

/// What the settings call a target; in logs, metrics and the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetName(String);

impl TargetName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TargetName {
    type Err = TargetNameError;

    fn from_str(text: &str) -> Result<Self, TargetNameError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || !text.bytes().all(allowed) {
            return Err(TargetNameError {
                seen: text.chars().take(80).collect(),
            });
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a CDN gave us in return: its own ids of the purges, where it has such.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Key and purge id. Fastly's support asks for these; Varnish gives none.
    pub purge_ids: Vec<(String, String)>,
}

/// One CDN.
#[derive(Debug, Clone)]
pub enum Target {
    /// Fastly's purge API.
    Fastly(Fastly),
    /// One Varnish with our rules (`deploy/varnish`).
    Varnish(Varnish),
}

impl Target {
    /// The name in the settings.
    pub fn name(&self) -> &str {
        match self {
            Self::Fastly(fastly) => fastly.name().as_str(),
            Self::Varnish(varnish) => varnish.name().as_str(),
        }
    }

    /// How many keys one [`Target::purge`] takes at most.
    pub fn max_keys(&self) -> usize {
        match self {
            Self::Fastly(_) => key::MAX_KEYS,
            // One header line's worth, so that a call is one request.
            Self::Varnish(_) => 50,
        }
    }

    /// Purges everything that carries one of `keys`.
    ///
    /// Idempotent, and safe to run beside itself. `Ok` means that the CDN *accepted* every key; a
    /// key that nothing carries is accepted too. After an error, some of the keys may have been
    /// purged: send all of them again. No key at all is `Ok`, without a call.
    pub async fn purge(&self, keys: &[String]) -> Result<Receipt, PurgeError> {
        if keys.is_empty() {
            return Ok(Receipt::default());
        }
        key::check(keys)?;
        match self {
            Self::Fastly(fastly) => fastly.purge(keys).await,
            Self::Varnish(varnish) => varnish.purge(keys).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_a_metric_label_can_be() {
        assert_eq!(
            "pop-1".parse::<TargetName>().expect("a name").as_str(),
            "pop-1"
        );
        for text in ["", "POP", "pop 1", "pop_1", "é"] {
            let error = text.parse::<TargetName>().expect_err(text);
            assert!(error.to_string().contains(text));
        }
    }
}
