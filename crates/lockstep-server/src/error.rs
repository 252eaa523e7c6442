//! One error for everything that HTTP answers: a status, a code for machines, a sentence for
//! people, and the chain for the log.
//!
//! Rendered three ways: plain text with the sentence in the reason phrase (twine shows nothing
//! else), `problem+json` (RFC 9457), and an XML-RPC fault. 500 is our bug, 503 is "try again".
//! Bodies of 5xx tell no internals.

use std::error::Error as StdError;
use std::sync::Arc;

use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::ext::ReasonPhrase;
use lockstep_store::StoreError;
use serde::Serialize;

/// An answer that is not what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// For machines: `code` in JSON, and the metric label.
    pub code: &'static str,
    /// One sentence for people.
    pub message: String,
    /// When to come back, in seconds.
    pub retry_after: Option<u32>,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ApiError {
    /// A refusal that is the client's to mend.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
            source: None,
        }
    }

    /// 400.
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", message)
    }

    /// 503: nothing is wrong with the request; come back in a moment.
    pub fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message);
        error.retry_after = Some(1);
        error
    }

    /// 507: the disk or the bucket is full.
    pub fn storage_full(source: impl StdError + Send + Sync + 'static) -> Self {
        let message = "There is no space left to store the file; nothing was changed.";
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "storage-full", message).because(source)
    }

    /// 500: our bug.
    pub fn internal(source: impl StdError + Send + Sync + 'static) -> Self {
        let message = "Something went wrong on our side.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message).because(source)
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn because(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// Come back in so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The chain, logged once, where the error becomes an answer.
    fn log(&self) {
        let mut chain = String::new();
        let mut cause = self.source.as_deref().map(|source| source as &dyn StdError);
        while let Some(error) = cause {
            chain = format!("{chain}: {error}");
            cause = error.source();
        }
        // Without a cause it is an answer that was meant, such as "too many at a time": strangers must not
        // be able to fill the log with it.
        if self.status.is_server_error() && self.source.is_some() {
            tracing::error!(
                status = self.status.as_u16(),
                code = self.code,
                "{}{chain}",
                self.message
            );
        } else {
            tracing::debug!(
                status = self.status.as_u16(),
                code = self.code,
                "{}{chain}",
                self.message
            );
        }
    }

    /// As the upload clients want it: JSON with a `code` where they accept it, else plain text; the
    /// sentence also as the reason phrase, which is all that twine shows.
    pub fn into_upload_response(self, request: &HeaderMap) -> Response {
        let accept = request
            .get(ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        // Clients read the phrase as Latin-1, if as anything: other letters are the body's alone.
        let phrase = self
            .message
            .replace(|letter: char| !matches!(letter, ' '..='~'), "?");
        let mut response = if accept.contains("application/problem+json") {
            self.into_response()
        } else if accept.contains("application/json") {
            // As the public index says it: of this form uv shows people the `code` and nothing else.
            let code = format!("{} {}", self.status.as_u16(), self.message);
            self.into_json(code, HeaderValue::from_static("application/json"))
        } else {
            self.into_plain_response()
        };
        // HTTP/1 only.
        if let Ok(phrase) = ReasonPhrase::try_from(phrase.into_bytes()) {
            response.extensions_mut().insert(phrase);
        }
        response
    }

    /// Plain text, as package clients print it.
    pub fn into_plain_response(self) -> Response {
        self.log();
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        let body = format!("{}\n", self.message);
        let mut response = (self.status, [(CONTENT_TYPE, text)], body).into_response();
        self.common_headers(&mut response);
        response
    }

    fn into_json(self, code: String, kind: HeaderValue) -> Response {
        self.log();
        let problem = Problem {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.message,
            code,
            message: &self.message,
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (self.status, [(CONTENT_TYPE, kind)], body).into_response();
        self.common_headers(&mut response);
        response
    }

    fn common_headers(&self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
}

/// RFC 9457, with the members that uv and the public index's clients read.
#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: String,
    message: &'a str,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let code = self.code.to_owned();
        self.into_json(code, HeaderValue::from_static("application/problem+json"))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::from(Arc::new(error))
    }
}

/// Shared: many readers may have waited for the one query that failed.
impl From<Arc<StoreError>> for ApiError {
    fn from(error: Arc<StoreError>) -> Self {
        match *error {
            StoreError::Unavailable(_) | StoreError::Schema(_) => Self::unavailable(
                "database",
                "The index's database can't be reached right now.",
            )
            .because(error),
            StoreError::TooSlow(_) => Self::unavailable(
                "query-timeout",
                "The index's database took too long to answer; try again in a while.",
            )
            .because(error),
            StoreError::NotFound => Self::not_found("There is nothing here."),
            StoreError::Conflict(_) | StoreError::Corrupt(_) | StoreError::Database(_) => {
                Self::internal(error)
            }
        }
    }
}
