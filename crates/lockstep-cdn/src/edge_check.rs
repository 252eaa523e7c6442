//! Fastly's edge check: what every point of presence holds under a URL, by its MD5.
//!
//! Not here: how often it may be asked (200 times an hour; the server counts), and what the page ought
//! to be. It asks with headers of its own: nobody can choose the variant, and it is the HTML page that
//! the rules make of an `Accept` they do not know. The token is in no message.

use std::time::Duration;

use lockstep_core::digest::Md5;
use lockstep_core::name::NormalizedName;
use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{Client, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::error::SettingsError;
use crate::fastly::{body, limited};
use crate::target::TargetName;
use crate::varnish::http_url;

/// The API asks every point of presence before it answers.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Some hundred servers with the headers of a request and an answer each.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// An edge check that told nothing.
#[derive(Debug, thiserror::Error)]
pub enum EdgeCheckError {
    /// No connection, no complete answer, or not in time.
    #[error("Fastly's API can't be reached, or did not answer in time")]
    Unreachable(#[source] reqwest::Error),
    /// The account's budget is used up, perhaps by somebody else.
    #[error("Fastly's API limits our rate")]
    RateLimited {
        /// When it will listen again, if it said so.
        after: Option<Duration>,
    },
    /// Neither an answer nor a limit; 401 and 403 mean the token.
    #[error("Fastly's API answered {0}")]
    Status(StatusCode),
    /// Success by its status, but no list of points of presence (an HTML error page, say).
    #[error("Fastly's API answered no list of points of presence")]
    Unreadable,
}

impl From<reqwest::Error> for EdgeCheckError {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(error.without_url())
    }
}

/// How to ask.
#[derive(Debug, Clone)]
pub struct EdgeCheckSettings {
    /// The probe's name.
    pub name: TargetName,
    /// The root of the service whose pages are sampled, as clients know it.
    pub url: String,
    /// A token of the account.
    pub token: SecretString,
    /// Where the API is.
    pub api_url: String,
}

/// One service, seen from all of its points of presence.
#[derive(Debug, Clone)]
pub struct EdgeCheck {
    name: TargetName,
    client: Client,
    api: Url,
    site: Url,
    token: HeaderValue,
}

/// What one point of presence holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its name.
    pub pop: String,
    /// What it is.
    pub what: What,
}

/// What a point of presence says of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A page whose bytes, as sent, have this hash.
    Page(Md5),
    /// 404.
    Nothing,
    /// It holds nothing, or could not say: too slow, too large, an error of the origin.
    Unsaid,
}

#[derive(Deserialize)]
struct Entry {
    pop: Option<String>,
    server: Option<String>,
    hash: Option<String>,
    response: Option<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    status: Option<u16>,
}

impl EdgeCheck {
    /// A probe that asks through `client` (see [`crate::client`]), whose timeouts hold.
    pub fn new(client: Client, settings: EdgeCheckSettings) -> Result<Self, SettingsError> {
        let root = |url: String| {
            let folder = format!("{}/", url.trim_end_matches('/'));
            http_url(&folder).ok_or(SettingsError::Url { seen: url })
        };
        let mut token = HeaderValue::from_str(settings.token.expose_secret())
            .ok()
            .filter(|value| !value.is_empty())
            .ok_or(SettingsError::Token)?;
        token.set_sensitive(true);
        Ok(Self {
            name: settings.name,
            client,
            api: root(settings.api_url)?,
            site: root(settings.url)?,
            token,
        })
    }

    /// The name in the settings.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Asks what all points of presence hold of a project's page. One call of the budget.
    pub async fn look(&self, project: &NormalizedName) -> Result<Vec<Held>, EdgeCheckError> {
        let join = |base: &Url, path: &str| base.join(path).unwrap_or_else(|_| base.clone());
        let page = join(&self.site, &format!("simple/{project}/"));
        let mut url = join(&self.api, "content/edge_check");
        url.query_pairs_mut().append_pair("url", page.as_str());
        let request = self
            .client
            .get(url)
            .timeout(TIMEOUT)
            .header("fastly-key", self.token.clone())
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        let response = request.send().await?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let after = limited(response.headers());
            return Err(EdgeCheckError::RateLimited { after });
        }
        if status != StatusCode::OK {
            return Err(EdgeCheckError::Status(status));
        }
        let body = body(response, MAX_BODY).await?;
        let entries: Vec<Entry> =
            serde_json::from_slice(&body).map_err(|_| EdgeCheckError::Unreadable)?;
        Ok(entries.into_iter().map(held).collect())
    }
}

/// A hash counts only beside a page: an error page has one, too. What is no MD5 says why there is none
/// (`error-timeout-…`, `warning-too-large-…`).
fn held(entry: Entry) -> Held {
    let hash = entry.hash.and_then(|hash| hash.parse().ok());
    let status = entry.response.and_then(|answer| answer.status);
    let what = match (status.unwrap_or(200), hash) {
        (404, _) => What::Nothing,
        (200, Some(hash)) => What::Page(hash),
        _ => What::Unsaid,
    };
    let pop = entry.pop.or(entry.server).unwrap_or_default();
    Held { pop, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(json: &str) -> What {
        held(serde_json::from_str(json).expect("an entry")).what
    }

    #[test]
    fn only_the_hash_of_a_page_counts() {
        let hash = "900150983cd24fb0d6963f7d28e17f72";
        let page = What::Page(hash.parse().expect("md5"));
        assert_eq!(what(&format!(r#"{{"pop":"AMS","hash":"{hash}"}}"#)), page);
        let with = |status: u16| format!(r#"{{"hash":"{hash}","response":{{"status":{status}}}}}"#);
        assert_eq!(what(&with(200)), page);
        assert_eq!(what(&with(404)), What::Nothing);
        assert_eq!(what(&with(503)), What::Unsaid);
        assert_eq!(what(r#"{"hash":"error-timeout-AMS"}"#), What::Unsaid);
        assert_eq!(what(r#"{"pop":"AMS"}"#), What::Unsaid);
    }
}
