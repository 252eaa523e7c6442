//! HTTP out: GET with patience, and never more bytes than a page can have.
//!
//! Not here: what an answer means. Every status is an answer; only silence is an error.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, StatusCode};

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may pause.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// No simple page and no batch of the changelog is larger; what is, is not ours.
const MAX_BODY: usize = 256 * 1024 * 1024;

/// A long audit must survive a short trouble of a cache, but not hide a long one.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1200)];

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// No whole answer came.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No connection, or it broke.
    #[error("there is no answer")]
    Silent(#[source] reqwest::Error),
    /// More than any page or batch has.
    #[error("the answer has more than {MAX_BODY} bytes")]
    TooLarge,
}

/// The client for index and target: pooled; the codings of bodies are undone.
pub(crate) fn client() -> Client {
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .user_agent(concat!("lockstep-audit/", env!("CARGO_PKG_VERSION")))
        .build()
        .expect("these options are constants, and rustls is compiled in")
}

/// Sends `request`, again after a pause when nothing came or the server asked for patience.
pub(crate) async fn send(request: RequestBuilder) -> Result<Answer, FetchError> {
    for pause in PAUSES {
        let Some(again) = request.try_clone() else {
            break;
        };
        match once(again).await {
            Ok(answer) if !passing(answer.status) => return Ok(answer),
            Err(FetchError::TooLarge) => return Err(FetchError::TooLarge),
            Ok(_) | Err(FetchError::Silent(_)) => tokio::time::sleep(pause).await,
        }
    }
    once(request).await
}

/// Trouble that usually passes.
fn passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

async fn once(request: RequestBuilder) -> Result<Answer, FetchError> {
    // The address stands in the finding already.
    let silent = |error: reqwest::Error| FetchError::Silent(error.without_url());
    let mut response = request.send().await.map_err(silent)?;
    let status = response.status();
    let headers = response.headers().clone();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(silent)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status,
        headers,
        body,
    })
}
