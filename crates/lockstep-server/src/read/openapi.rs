//! `/api/openapi.json`: the description of everything that HTTP answers here (`OpenAPI` 3.1).
//!
//! Written by hand, and held against the routes and real answers by the tests; see ADR 0024. The same
//! bytes for everybody: nothing in it depends on the settings.

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use lockstep_core::digest::Sha256;

use super::answer::is_known;

const DOCUMENT: &str = include_str!("openapi.json");

/// It changes with a release of the index, and nothing purges it.
const SHORT: &str = "public, max-age=300";

static TAG: LazyLock<String> = LazyLock::new(|| format!("\"{}\"", Sha256::of(DOCUMENT.as_bytes())));

/// `GET /api/openapi.json`
pub async fn document(request: HeaderMap) -> Response {
    let mut response = if is_known(&request, &TAG) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        DOCUMENT.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(SHORT));
    if let Ok(tag) = HeaderValue::from_str(&TAG) {
        headers.insert(ETAG, tag);
    }
    response
}
