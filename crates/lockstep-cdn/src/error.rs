//! Why a purge call failed, and what the caller should do next.
//!
//! Not here: the waiting, and the decision to give up. There is none: a row stays in the outbox
//! until the purge was accepted. Messages never contain a token or a URL.

use std::time::Duration;

use reqwest::StatusCode;

/// What to do after a failed purge. The outbox keeps the row in every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The CDN named the moment: try again after this long (at least 1 s, at most 60 s).
    After(Duration),
    /// Trouble that passes by itself: try again after [`crate::backoff`].
    Backoff,
    /// Somebody must act (token, scope, service, our own bug): log loudly and retry slowly, since
    /// a token may be rotated any minute.
    Alarm,
}

/// A purge that was not accepted, or of which we can't know.
#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    /// More keys than one call may carry.
    #[error("{given} keys in one purge, at most {max} are allowed")]
    TooManyKeys {
        /// Keys in the call.
        given: usize,
        /// Keys allowed.
        max: usize,
    },
    /// A key that a CDN would refuse, cut, or read as two.
    #[error("the key `{shown}` {why}")]
    BadKey {
        /// The beginning of the key.
        shown: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// No connection, or it broke before the answer was complete.
    #[error("the CDN can't be reached")]
    Unreachable(#[source] reqwest::Error),
    /// No complete answer in time.
    #[error("the CDN did not answer in time")]
    Timeout(#[source] reqwest::Error),
    /// The CDN counts our calls, and we are over the budget.
    #[error("the CDN limits our rate")]
    RateLimited {
        /// When it will listen again, if it said so.
        after: Option<Duration>,
    },
    /// The call itself is wrong: key, token, scope, service or address.
    #[error("the CDN refused the purge with {status}: {said}")]
    Refused {
        /// HTTP status.
        status: StatusCode,
        /// The beginning of the body.
        said: String,
    },
    /// Trouble on the CDN's side.
    #[error("the CDN failed with {status}: {said}")]
    Failed {
        /// HTTP status.
        status: StatusCode,
        /// The beginning of the body.
        said: String,
    },
    /// Success by its status, but not an answer of this API (an HTML error page, say).
    #[error("the CDN's answer is not the JSON object it should be: {said}")]
    Unreadable {
        /// The beginning of the body.
        said: String,
    },
    /// HTTP success whose body says otherwise.
    #[error("the CDN answered 200, but its body says that the purge failed: {said}")]
    NotOk {
        /// The beginning of the body.
        said: String,
    },
    /// Some of the keys have no purge id in the answer.
    #[error("the CDN acknowledged only a part of the keys: {missing} of {given} are missing")]
    Incomplete {
        /// Keys without an id.
        missing: usize,
        /// Keys sent.
        given: usize,
    },
}

impl PurgeError {
    /// The failure as a metric label.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TooManyKeys { .. } => "too_many_keys",
            Self::BadKey { .. } => "bad_key",
            Self::Unreachable(_) => "unreachable",
            Self::Timeout(_) => "timeout",
            Self::RateLimited { .. } => "rate_limited",
            Self::Refused { status, .. } => match *status {
                StatusCode::BAD_REQUEST => "bad_request",
                StatusCode::UNAUTHORIZED => "unauthorized",
                StatusCode::FORBIDDEN => "forbidden",
                StatusCode::NOT_FOUND => "not_found",
                _ => "refused",
            },
            Self::Failed { .. } => "server_error",
            Self::Unreadable { .. } => "unreadable",
            Self::NotOk { .. } => "not_ok",
            Self::Incomplete { .. } => "incomplete",
        }
    }

    /// What to do next.
    pub fn retry(&self) -> Retry {
        match self {
            Self::TooManyKeys { .. } | Self::BadKey { .. } | Self::Refused { .. } => Retry::Alarm,
            Self::RateLimited { after: Some(wait) } => Retry::After(*wait),
            Self::RateLimited { after: None }
            | Self::Unreachable(_)
            | Self::Timeout(_)
            | Self::Failed { .. }
            | Self::Unreadable { .. }
            | Self::NotOk { .. }
            | Self::Incomplete { .. } => Retry::Backoff,
        }
    }

    /// An answer whose status is neither 200 nor 429.
    pub(crate) fn of_status(status: StatusCode, said: String) -> Self {
        // 408 says that the network was slow, not that the call was wrong.
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            Self::Failed { status, said }
        } else {
            Self::Refused { status, said }
        }
    }
}

impl From<reqwest::Error> for PurgeError {
    fn from(error: reqwest::Error) -> Self {
        // The URL names the service, and logs travel further than settings.
        let error = error.without_url();
        if error.is_timeout() {
            Self::Timeout(error)
        } else {
            Self::Unreachable(error)
        }
    }
}

/// Settings that can't make a working target.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not an absolute http or https URL.
    #[error("`{seen}` is not an address of a CDN: expected http://host or https://host")]
    Url {
        /// What was given.
        seen: String,
    },
    /// A service id that would change the path of the call.
    #[error("`{seen}` is not a service id: expected letters and digits")]
    ServiceId {
        /// What was given.
        seen: String,
    },
    /// A token that can't stand in a header. It is not shown.
    #[error("the token is empty or has characters that no token has (a line break at its end?)")]
    Token,
}
