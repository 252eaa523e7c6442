//! Varnish: one cache with our rules (`deploy/varnish/lockstep.vcl`), purged by `xkey`.
//!
//! Not here: fanning out. Every cache is a target of its own and must acknowledge for itself.

use reqwest::header::HeaderValue;
use reqwest::{Client, Method, StatusCode, Url};

use crate::error::{PurgeError, SettingsError};
use crate::target::{Receipt, TargetName};

/// Bytes of keys in one request, at most. Varnish takes header lines up to 8 KiB
/// (`http_req_hdr_len`) and answers longer ones with 400; the longest single key always fits.
const MAX_HEADER: usize = 6 * 1024;

/// How to reach a Varnish.
#[derive(Debug, Clone)]
pub struct VarnishSettings {
    /// The target's name.
    pub name: TargetName,
    /// Its root, such as `http://127.0.0.1:9201`.
    pub url: String,
}

/// One Varnish.
#[derive(Debug, Clone)]
pub struct Varnish {
    name: TargetName,
    client: Client,
    url: Url,
    method: Method,
}

/// An absolute http or https URL with a host, or nothing.
pub(crate) fn http_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

impl Varnish {
    /// A target that calls through `client` (see [`crate::client`]), whose timeouts hold.
    pub fn new(client: Client, settings: VarnishSettings) -> Result<Self, SettingsError> {
        let VarnishSettings { name, url } = settings;
        let url = http_url(&format!("{}/", url.trim_end_matches('/')))
            .ok_or(SettingsError::Url { seen: url })?;
        let method = Method::from_bytes(b"PURGE").expect("letters make a method");
        Ok(Self {
            name,
            client,
            url,
            method,
        })
    }

    pub(crate) fn name(&self) -> &TargetName {
        &self.name
    }

    pub(crate) async fn purge(&self, keys: &[String]) -> Result<Receipt, PurgeError> {
        for line in lines(keys) {
            self.purge_line(&line).await?;
        }
        Ok(Receipt::default())
    }

    async fn purge_line(&self, line: &str) -> Result<(), PurgeError> {
        let value = HeaderValue::from_str(line).map_err(|_| PurgeError::BadKey {
            shown: line.chars().take(80).collect(),
            why: "can't stand in a header",
        })?;
        let request = self.client.request(self.method.clone(), self.url.clone());
        let status = request.header("xkey-purge", value).send().await?.status();
        match status {
            // Also when nothing carried the keys: there is nothing stale then.
            StatusCode::OK => Ok(()),
            StatusCode::TOO_MANY_REQUESTS => Err(PurgeError::RateLimited { after: None }),
            _ => Err(PurgeError::of_status(
                status,
                "see the log of this Varnish".to_owned(),
            )),
        }
    }
}

/// The keys as header values that Varnish takes: separated by spaces, each short enough.
fn lines(keys: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for key in keys {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + key.len() <= MAX_HEADER => {
                line.push(' ');
                line.push_str(key);
            }
            _ => lines.push(key.clone()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::{header, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::{Retry, Target};

    fn target(url: String) -> Target {
        let name = "pop-1".parse().expect("a name");
        let settings = VarnishSettings { name, url };
        Target::Varnish(Varnish::new(crate::client(), settings).expect("settings"))
    }

    fn keys(count: usize, length: usize) -> Vec<String> {
        (0..count).map(|n| format!("{n:0length$}")).collect()
    }

    #[tokio::test]
    async fn a_purge_is_one_request_with_all_keys() {
        let server = MockServer::start().await;
        Mock::given(method("PURGE"))
            .and(path("/"))
            .and(header("xkey-purge", "project-a simple"))
            .respond_with(ResponseTemplate::new(200))
            .expect(1)
            .mount(&server)
            .await;
        let target = target(server.uri() + "/");
        let keys = ["project-a".to_owned(), "simple".to_owned()];
        assert_eq!(
            target.purge(&keys).await.expect("purged"),
            Receipt::default()
        );
        assert_eq!(
            target.purge(&[]).await.expect("nothing to do"),
            Receipt::default()
        );
    }

    #[tokio::test]
    async fn every_other_status_is_an_error() {
        for (status, kind, retry) in [
            (204, "refused", Retry::Alarm),
            (301, "refused", Retry::Alarm),
            (400, "bad_request", Retry::Alarm),
            (403, "forbidden", Retry::Alarm),
            (405, "refused", Retry::Alarm),
            (429, "rate_limited", Retry::Backoff),
            (503, "server_error", Retry::Backoff),
        ] {
            let server = MockServer::start().await;
            let answer = ResponseTemplate::new(status).insert_header("location", "/elsewhere");
            Mock::given(method("PURGE"))
                .respond_with(answer)
                .expect(1)
                .mount(&server)
                .await;
            let error = target(server.uri())
                .purge(&keys(1, 8))
                .await
                .expect_err("no 200");
            assert_eq!((error.kind(), error.retry()), (kind, retry), "{status}");
        }
    }

    #[tokio::test]
    async fn a_dead_pop_is_unreachable() {
        let free =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let target = target(format!("http://{}", free.expect("a free port")));
        let error = target.purge(&keys(1, 8)).await.expect_err("nobody there");
        assert_eq!(
            (error.kind(), error.retry()),
            ("unreachable", Retry::Backoff)
        );
    }

    #[test]
    fn no_header_line_is_longer_than_varnish_takes() {
        for (count, length, requests) in [(1, 1, 1), (256, 20, 1), (256, 200, 9), (256, 1024, 52)] {
            let keys = keys(count, length);
            let lines = lines(&keys);
            assert_eq!(lines.len(), requests, "{count} × {length}");
            assert!(lines.iter().all(|line| line.len() <= MAX_HEADER));
            assert_eq!(
                lines.join(" "),
                keys.join(" "),
                "nothing lost, nothing twice"
            );
        }
    }

    #[test]
    fn an_address_needs_a_scheme_and_a_host() {
        for url in ["", "pop-1:80", "localhost", "ftp://pop-1"] {
            let name = "pop-1".parse().expect("a name");
            let settings = VarnishSettings {
                name,
                url: url.to_owned(),
            };
            assert!(Varnish::new(crate::client(), settings).is_err(), "{url}");
        }
    }
}
