//! Fastly: the batch form of its purge API.
//!
//! Not here: purging by URL, or everything (neither is needed to be right), and Fastly's rules
//! (`deploy/fastly`). The token is in no message: not in `Debug`, not in an error, not in a log.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::backoff::LONGEST;
use crate::error::{PurgeError, SettingsError};
use crate::target::{Receipt, TargetName};

/// A body longer than this is no answer of this API: 256 keys of 1,024 bytes with their ids fit.
const MAX_BODY: usize = 512 * 1024;

/// How much of a body an error quotes.
const QUOTED_CHARS: usize = 200;

/// The shortest wait after a 429, so that a reset in the past (clocks differ) is no busy loop.
const SHORTEST: Duration = Duration::from_secs(1);

/// How to reach a Fastly service.
#[derive(Debug, Clone)]
pub struct FastlySettings {
    /// The target's name.
    pub name: TargetName,
    /// The service whose cache is purged.
    pub service_id: String,
    /// A token with the scope `purge_select` for this service, and no more.
    pub token: SecretString,
    /// Where the API is.
    pub api_url: String,
    /// Mark as stale instead of dropping. Then a reader may see the old page once more.
    pub soft: bool,
}

/// A Fastly service.
#[derive(Debug, Clone)]
pub struct Fastly {
    name: TargetName,
    client: Client,
    url: Url,
    token: SecretString,
    headers: HeaderMap,
}

#[derive(Serialize)]
struct Batch<'a> {
    surrogate_keys: &'a [String],
}

impl Fastly {
    /// A target that calls through `client` (see [`crate::client`]), whose timeouts hold.
    pub fn new(client: Client, settings: FastlySettings) -> Result<Self, SettingsError> {
        let FastlySettings {
            name,
            service_id,
            token,
            api_url,
            soft,
        } = settings;
        if service_id.is_empty() || !service_id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(SettingsError::ServiceId { seen: service_id });
        }
        let url = format!(
            "{}/service/{service_id}/purge",
            api_url.trim_end_matches('/')
        );
        let url = crate::varnish::http_url(&url).ok_or(SettingsError::Url { seen: api_url })?;

        let mut secret = HeaderValue::from_str(token.expose_secret())
            .ok()
            .filter(|value| !value.is_empty())
            .ok_or(SettingsError::Token)?;
        secret.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert("fastly-key", secret);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if soft {
            // Any value means soft, "0" too: the header is there or it is not.
            headers.insert("fastly-soft-purge", HeaderValue::from_static("1"));
        }
        Ok(Self {
            name,
            client,
            url,
            token,
            headers,
        })
    }

    pub(crate) fn name(&self) -> &TargetName {
        &self.name
    }

    pub(crate) async fn purge(&self, keys: &[String]) -> Result<Receipt, PurgeError> {
        let batch = Batch {
            surrogate_keys: keys,
        };
        let request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .json(&batch);
        let response = request.send().await?;

        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let after = limited(response.headers());
            return Err(PurgeError::RateLimited { after });
        }
        let body = body(response, MAX_BODY).await?;
        if status != StatusCode::OK {
            return Err(PurgeError::of_status(status, self.quote(&body)));
        }
        let receipt = self.read(keys, &body)?;
        tracing::info!(
            cdn.target = %self.name,
            cdn.keys = keys.len(),
            cdn.purge_ids = ?receipt.purge_ids,
            "Fastly accepted the purge"
        );
        Ok(receipt)
    }

    /// The purge ids of all keys, or why this is no acknowledgement.
    fn read(&self, keys: &[String], body: &[u8]) -> Result<Receipt, PurgeError> {
        let answer: Map<String, Value> =
            serde_json::from_slice(body).map_err(|_| PurgeError::Unreadable {
                said: self.quote(body),
            })?;
        let text = |field: &str| {
            answer
                .get(field)
                .and_then(Value::as_str)
                .filter(|id| !id.is_empty())
        };

        // `status` is a verdict, unless it is one of the keys we sent.
        let is_key = |field: &str| keys.iter().any(|key| key == field);
        let verdict = answer.get("status").filter(|_| !is_key("status"));
        if verdict.is_some_and(|verdict| verdict != "ok") {
            return Err(PurgeError::NotOk {
                said: self.quote(body),
            });
        }
        let mut purge_ids: Vec<(String, String)> = Vec::with_capacity(keys.len());
        purge_ids.extend(
            keys.iter()
                .filter_map(|key| Some((key.clone(), text(key)?.to_owned()))),
        );

        // The form that single purges are answered with: one verdict and one id for all.
        if purge_ids.is_empty()
            && verdict.is_some()
            && let Some(id) = text("id")
        {
            purge_ids.extend(keys.iter().map(|key| (key.clone(), id.to_owned())));
        }
        if purge_ids.len() < keys.len() {
            return Err(PurgeError::Incomplete {
                missing: keys.len() - purge_ids.len(),
                given: keys.len(),
            });
        }
        Ok(Receipt { purge_ids })
    }

    /// The beginning of a body, for an error. Should the API ever echo the token, we don't.
    fn quote(&self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(body).replace(self.token.expose_secret(), "[token]");
        text.chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(QUOTED_CHARS)
            .collect()
    }
}

/// The answer's body, up to a bound.
pub(crate) async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = most.saturating_sub(body.len());
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            break; // what is cut is not JSON any more, and is reported as unreadable
        }
    }
    Ok(body)
}

/// How long a 429 asks us to wait.
pub(crate) fn limited(headers: &HeaderMap) -> Option<Duration> {
    // The crate's only look at a clock: Fastly names a moment, the outbox wants a wait.
    #[expect(
        clippy::disallowed_methods,
        reason = "Fastly names a moment of its own clock"
    )]
    let now = Timestamp::now();
    wait(headers, now)
}

/// … seen from `now`: until Fastly's reset, else what `Retry-After` says.
fn wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let number = |text: &str| text.parse::<i64>().ok();
    let until = |moment: i64| moment.saturating_sub(now.as_second());
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);

    let reset = header("fastly-ratelimit-reset").and_then(number).map(until);
    let retry = header(RETRY_AFTER.as_str()).and_then(|text| {
        number(text).or_else(|| {
            let date = DateTimeParser::new().parse_timestamp(text).ok()?;
            Some(until(date.as_second()))
        })
    });
    let seconds = u64::try_from(reset.or(retry)?).unwrap_or(0);
    Some(Duration::from_secs(seconds).clamp(SHORTEST, LONGEST))
}

#[cfg(test)]
mod tests;
