//! HTTP out: GET with patience, redirects with care, and never more bytes than were asked for.
//!
//! Not here: what an answer means. Every status is an answer; only silence is an error.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lockstep_core::digest::Sha256;
use reqwest::header::HeaderMap;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use sha2::Digest as _;

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may pause.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A chain of more is a circle, or nothing that a client would follow.
const REDIRECTS: usize = 5;

/// A long audit must survive a short trouble of a cache, but not hide a long one.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1200)];

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Where redirects led.
    pub(crate) url: Url,
    pub(crate) body: Vec<u8>,
}

/// How long a file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// As announced.
    Exactly(u64),
    /// Not announced; nothing of its kind is longer.
    AtMost(u64),
}

impl Length {
    fn most(self) -> u64 {
        match self {
            Self::Exactly(bytes) | Self::AtMost(bytes) => bytes,
        }
    }

    /// Whether an answer that says it has so many bytes can be the file.
    fn allows(self, bytes: u64) -> bool {
        match self {
            Self::Exactly(exactly) => bytes == exactly,
            Self::AtMost(most) => bytes <= most,
        }
    }
}

/// What came where a file should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Digested {
    /// Bytes with this hash.
    As(Sha256),
    /// So many bytes, or so many at least; not as many as there must be.
    OtherLength(u64),
    /// No file.
    Status(StatusCode),
}

/// No whole answer came.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No connection, or it broke.
    #[error("there is no whole answer")]
    Silent(#[source] reqwest::Error),
    /// Redirected for ever, or to where an audit does not follow.
    #[error("it redirects in a circle, too often, or from https to http")]
    Redirects(#[source] reqwest::Error),
    /// More than any page or batch has.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        // The address stands in the finding already, and may have a password in it.
        let error = error.without_url();
        if error.is_redirect() {
            Self::Redirects(error)
        } else {
            Self::Silent(error)
        }
    }
}

/// The client for index and target: pooled; the codings of bodies are undone.
pub(crate) fn client() -> Client {
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .redirect(Policy::custom(follow))
        .user_agent(concat!("lockstep-audit/", env!("CARGO_PKG_VERSION")))
        .build()
        .expect("these options are constants, and rustls is compiled in")
}

/// As installers do: to other hosts too, but neither for ever nor out of TLS.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let from = attempt.previous().last().map(Url::scheme);
    if attempt.previous().len() > REDIRECTS {
        attempt.error("too many redirects")
    } else if from == Some("https") && attempt.url().scheme() != "https" {
        attempt.error("a redirect from https to something else")
    } else {
        attempt.follow()
    }
}

/// Sends `request` and reads the answer, of at most `limit` bytes; again after a pause when nothing
/// came or the server asked for patience.
pub(crate) async fn send(request: RequestBuilder, limit: usize) -> Result<Answer, FetchError> {
    patiently(
        request,
        async |request| once(request, limit).await,
        |answer| passing(answer.status),
    )
    .await
}

/// Sends `request` with the same patience, and leaves the body to be read.
pub(crate) async fn open(request: RequestBuilder) -> Result<Response, FetchError> {
    let send = async |request: RequestBuilder| Ok(request.send().await?);
    patiently(request, send, |response| passing(response.status())).await
}

/// Fetches a file and hashes it in constant memory, with the same patience. What can't be the file by
/// its length is not read to its end. `read` counts the bytes.
pub(crate) async fn digest(
    request: RequestBuilder,
    length: Length,
    read: &AtomicU64,
) -> Result<Digested, FetchError> {
    let digest = async |request| digest_once(request, length, read).await;
    patiently(
        request,
        digest,
        |digested| matches!(digested, Digested::Status(status) if passing(*status)),
    )
    .await
}

async fn patiently<T>(
    request: RequestBuilder,
    attempt: impl AsyncFn(RequestBuilder) -> Result<T, FetchError>,
    passing: impl Fn(&T) -> bool,
) -> Result<T, FetchError> {
    for pause in PAUSES {
        let Some(again) = request.try_clone() else {
            break;
        };
        match attempt(again).await {
            Ok(answer) if passing(&answer) => {}
            Err(FetchError::Silent(_)) => {}
            result => return result,
        }
        tokio::time::sleep(pause).await;
    }
    attempt(request).await
}

/// Trouble that usually passes.
fn passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

async fn once(request: RequestBuilder, limit: usize) -> Result<Answer, FetchError> {
    let mut response = request.send().await?;
    let status = response.status();
    let headers = response.headers().clone();
    let url = response.url().clone();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(FetchError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status,
        headers,
        url,
        body,
    })
}

async fn digest_once(
    request: RequestBuilder,
    length: Length,
    read: &AtomicU64,
) -> Result<Digested, FetchError> {
    let mut response = request.send().await?;
    if response.status() != StatusCode::OK {
        return Ok(Digested::Status(response.status()));
    }
    if let Some(bytes) = response
        .content_length()
        .filter(|bytes| !length.allows(*bytes))
    {
        return Ok(Digested::OtherLength(bytes));
    }
    let mut hasher = sha2::Sha256::new();
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await? {
        bytes += chunk.len() as u64;
        read.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        if bytes > length.most() {
            break;
        }
        hasher.update(&chunk);
    }
    if !length.allows(bytes) {
        return Ok(Digested::OtherLength(bytes));
    }
    let digest: [u8; 32] = hasher.finalize().into();
    Ok(Digested::As(digest.into()))
}
