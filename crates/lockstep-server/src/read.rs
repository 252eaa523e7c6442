//! The short way: what clients and mirrors read.
//!
//! Two clocks, never mixed. Pages of one project ([`simple`], [`json`]) are *fresh*: they show every
//! commit that was acknowledged before the request came in (promise P4). Everything that speaks of
//! the whole index (the list of projects, [`changelog`], [`xmlrpc`]) is one snapshot at the
//! *announced* serial (P5).
//!
//! Invariant: nothing here writes, and nothing here knows a CDN.

pub mod answer;
pub mod cache;
pub mod changelog;
pub mod events;
pub mod feeds;
pub mod files;
pub mod fresh;
pub mod health;
pub mod integrity;
pub mod json;
pub mod negotiate;
pub mod openapi;
pub mod pages;
pub mod serversig;
pub mod simple;
pub mod snapshot;
pub mod xmlrpc;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName};
use axum::response::Response;
use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_core::serial::Serial;

use crate::error::ApiError;

/// A project named in a path.
pub(crate) enum Named {
    /// By its normalized name.
    Normalized(NormalizedName),
    /// By another spelling of it.
    Otherwise(NormalizedName),
    /// By something that no project can be called.
    Impossible,
}

pub(crate) fn named(Path(text): Path<String>) -> Named {
    match text.parse::<ProjectName>() {
        Err(_) => Named::Impossible,
        Ok(name) => {
            let normalized = name.normalized();
            if normalized.as_str() == text {
                Named::Normalized(normalized)
            } else {
                Named::Otherwise(normalized)
            }
        }
    }
}

/// What `X-Min-Serial` asks for; junk is the client's mistake.
pub(crate) fn min_serial(headers: &HeaderMap) -> Result<Option<Serial>, ApiError> {
    const X_MIN_SERIAL: HeaderName = HeaderName::from_static("x-min-serial");
    headers
        .get(X_MIN_SERIAL)
        .map(|value| value.to_str().unwrap_or_default().parse::<Serial>())
        .transpose()
        .map_err(|error| ApiError::bad_request("min-serial", format!("X-Min-Serial: {error}")))
}

/// A permanent redirect. It depends on the name alone, so it never has to be purged.
pub(crate) fn moved(to: &str) -> Response {
    use axum::http::header::{CACHE_CONTROL, LOCATION};
    use axum::response::IntoResponse as _;
    let headers = [(LOCATION, to), (CACHE_CONTROL, "public, max-age=86400")];
    (axum::http::StatusCode::MOVED_PERMANENTLY, headers).into_response()
}
