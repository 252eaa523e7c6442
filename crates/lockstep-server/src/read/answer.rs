//! A cacheable answer with all the headers of contract §6, as 200 or 304.
//!
//! Body and headers come from one [`Representation`] and one serial, so a header can't claim a serial
//! that the body does not show: the one fault that no client can detect.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use lockstep_core::digest::Sha256;
use lockstep_core::plan::SurrogateKey;
use lockstep_core::serial::Serial;

use super::cache::Representation;
use super::negotiate::takes_gzip;
use crate::error::ApiError;
use crate::settings::CacheSettings;

pub(crate) const X_PYPI_LAST_SERIAL: HeaderName = HeaderName::from_static("x-pypi-last-serial");
const SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");
const SURROGATE_CONTROL: HeaderName = HeaderName::from_static("surrogate-control");
const UNENCODED_DIGEST: HeaderName = HeaderName::from_static("unencoded-digest");

/// What an answer says besides its bytes.
pub struct Meta<'a> {
    /// Which state it shows.
    pub serial: Serial,
    /// SHA-256 of the identity bytes.
    pub sha256: Sha256,
    /// The media type.
    pub content_type: &'static str,
    /// What it is purged by.
    pub keys: &'a [SurrogateKey],
    /// `Surrogate-Control`.
    pub edge: &'a str,
    /// `Cache-Control`.
    pub clients: &'a str,
    /// `Vary`.
    pub vary: &'static str,
}

impl<'a> Meta<'a> {
    /// A page that varies by type and coding, with the caches' settings.
    pub fn page(
        serial: Serial,
        sha256: Sha256,
        content_type: &'static str,
        keys: &'a [SurrogateKey],
        cache: &'a CacheSettings,
    ) -> Self {
        let (edge, clients) = (cache.edge.as_str(), cache.clients.as_str());
        let vary = "Accept, Accept-Encoding";
        Self {
            serial,
            sha256,
            content_type,
            keys,
            edge,
            clients,
            vary,
        }
    }
}

/// 304 when the client has it already, without needing the bytes; `None`: it does not.
pub fn not_modified(request: &HeaderMap, meta: &Meta<'_>) -> Option<Response> {
    let plain = etag(meta.sha256, false);
    let gzip = etag(meta.sha256, true);
    let known = request.get_all(IF_NONE_MATCH).iter().find_map(|value| {
        let text = value.to_str().ok()?;
        text.split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .find_map(|tag| {
                // "*" matches what exists (RFC 9110 §13.1.2).
                if tag == gzip {
                    Some(gzip.clone())
                } else if tag == plain || tag == "*" {
                    Some(plain.clone())
                } else {
                    None
                }
            })
    })?;
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    set_headers(response.headers_mut(), meta, &known);
    Some(response)
}

/// 200 with the bytes, compressed where the client takes it and it helps.
pub async fn full(
    request: &HeaderMap,
    meta: &Meta<'_>,
    representation: &Arc<Representation>,
) -> Response {
    let gzip = if takes_gzip(request) {
        Some(representation.gzip().await)
    } else {
        None
    };
    // A body that grows when compressed stays as it is.
    let gzip =
        gzip.filter(|bytes| !bytes.is_empty() && bytes.len() < representation.identity.len());
    let tag = etag(meta.sha256, gzip.is_some());
    let coded = gzip.is_some();
    let body = gzip.unwrap_or_else(|| representation.identity.clone());
    let mut response = Body::from(body).into_response();
    set_headers(response.headers_mut(), meta, &tag);
    if coded {
        response
            .headers_mut()
            .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// The strong entity tag: the hash, different for each coding.
fn etag(hash: Sha256, gzip: bool) -> String {
    if gzip {
        format!("\"{hash}-gzip\"")
    } else {
        format!("\"{hash}\"")
    }
}

fn set_headers(headers: &mut HeaderMap, meta: &Meta<'_>, etag: &str) {
    let engine = base64::engine::general_purpose::STANDARD;
    // RFC 9530: the digest of the bytes before any coding, whatever a cache does to the coding.
    let digest = format!("sha-256=:{}:", engine.encode(meta.sha256.as_bytes()));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(meta.content_type));
    headers.insert(VARY, HeaderValue::from_static(meta.vary));
    headers.insert(X_PYPI_LAST_SERIAL, HeaderValue::from(meta.serial.get()));
    for (name, text) in [
        (ETAG, etag),
        (UNENCODED_DIGEST, &digest),
        (CACHE_CONTROL, meta.clients),
    ] {
        insert(headers, name, text);
    }
    set_cdn_headers(headers, meta.keys, meta.edge);
}

pub(super) fn set_cdn_headers(headers: &mut HeaderMap, keys: &[SurrogateKey], edge: &str) {
    let keys: Vec<&str> = keys.iter().map(SurrogateKey::as_str).collect();
    // What never changes is never purged.
    if !keys.is_empty() {
        insert(headers, SURROGATE_KEY, &keys.join(" "));
    }
    insert(headers, SURROGATE_CONTROL, edge);
}

fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(name, value);
    } else {
        // Only a setting could hold such a text.
        tracing::error!(header = %name, "not a header value: {text:?}");
    }
}

/// A 404 that a first upload will purge: it carries the project's key.
pub fn not_found_yet(keys: &[SurrogateKey]) -> Response {
    let mut response = ApiError::not_found("404 Not Found").into_plain_response();
    // Kept for a minute only: names that nobody ever uploads must not fill a cache.
    set_cdn_headers(response.headers_mut(), keys, "max-age=60");
    response
}
