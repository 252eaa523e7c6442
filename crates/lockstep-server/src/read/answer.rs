//! A cacheable answer with all its headers (docs/comparison.md), as 200 or 304.
//!
//! Body and headers come from one [`Representation`] and one serial, so a header can't claim a serial
//! that the body does not show: the one fault that no client can detect.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use lockstep_core::digest::Sha256;
use lockstep_core::plan::SurrogateKey;
use lockstep_core::serial::Serial;

use super::cache::{Coded, Representation};
use super::negotiate::{Coding, codings};
use crate::error::ApiError;
use crate::settings::CacheSettings;

pub(crate) const X_PYPI_LAST_SERIAL: HeaderName = HeaderName::from_static("x-pypi-last-serial");
const SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");
const SURROGATE_CONTROL: HeaderName = HeaderName::from_static("surrogate-control");
const UNENCODED_DIGEST: HeaderName = HeaderName::from_static("unencoded-digest");
/// The digest of what is on the wire; the `http` crate has no name for it either.
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

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
    let tags = [Coding::Identity, Coding::Gzip, Coding::Zstd].map(|it| etag(meta.sha256, it));
    let known = request.get_all(IF_NONE_MATCH).iter().find_map(|value| {
        let text = value.to_str().ok()?;
        text.split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"))
            // "*" matches what exists (RFC 9110 §13.1.2).
            .find_map(|tag| tags.iter().find(|ours| *ours == tag || tag == "*"))
    })?;
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    // No Repr-Digest: a coded form may not be in memory, and who revalidates has the header.
    set_headers(response.headers_mut(), meta, known);
    Some(response)
}

/// Whether the client has what this tag is of, when there is one form of it.
pub(super) fn is_known(request: &HeaderMap, etag: &str) -> bool {
    request.get_all(IF_NONE_MATCH).iter().any(|value| {
        let text = value.to_str().unwrap_or_default();
        text.split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == etag || tag == "*")
    })
}

/// 200 with the bytes, coded as the client likes it.
pub async fn full(
    request: &HeaderMap,
    meta: &Meta<'_>,
    representation: &Arc<Representation>,
) -> Response {
    let (coding, Coded { bytes, sha256 }) = selected(request, representation).await;
    let mut response = Body::from(bytes).into_response();
    let headers = response.headers_mut();
    set_headers(headers, meta, &etag(meta.sha256, coding));
    insert(headers, REPR_DIGEST, &digest(sha256));
    if let Some(name) = coding.name() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    response
}

/// The best form that the request takes. A body that grows when coded stays as it is, unless that is
/// just what the client refuses.
async fn selected(request: &HeaderMap, representation: &Representation) -> (Coding, Coded) {
    let taken = codings(request);
    let plain_is_taken = taken.contains(&Coding::Identity);
    for coding in taken.into_iter().take_while(|it| *it != Coding::Identity) {
        if let Some(coded) = representation.coded(coding).await
            && (coded.bytes.len() < representation.identity.len() || !plain_is_taken)
        {
            return (coding, coded);
        }
    }
    let plain = Coded {
        bytes: representation.identity.clone(),
        sha256: representation.sha256,
    };
    (Coding::Identity, plain)
}

/// The strong entity tag: the hash of the text, different for each coding.
fn etag(hash: Sha256, coding: Coding) -> String {
    match coding.name() {
        Some(name) => format!("\"{hash}-{name}\""),
        None => format!("\"{hash}\""),
    }
}

/// As RFC 9530 writes it.
fn digest(sha256: Sha256) -> String {
    let engine = base64::engine::general_purpose::STANDARD;
    format!("sha-256=:{}:", engine.encode(sha256.as_bytes()))
}

fn set_headers(headers: &mut HeaderMap, meta: &Meta<'_>, etag: &str) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(meta.content_type));
    headers.insert(VARY, HeaderValue::from_static(meta.vary));
    headers.insert(X_PYPI_LAST_SERIAL, HeaderValue::from(meta.serial.get()));
    // Of the text before any coding, whatever a cache does to the coding.
    let digest = digest(meta.sha256);
    for (name, text) in [
        (ETAG, etag),
        (UNENCODED_DIGEST, &digest),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "origin-when-cross-origin"),
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

/// For a page of links that people may open: it runs nothing and loads nothing.
pub fn sandboxed(mut response: Response) -> Response {
    let nothing = HeaderValue::from_static("default-src 'none'; sandbox allow-top-navigation");
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, nothing);
    response
}

/// A 404 of a project that is gone: since when, so that a cache can tell it from an older one.
pub fn gone_at(mut response: Response, serial: Serial) -> Response {
    let headers = response.headers_mut();
    headers.insert(X_PYPI_LAST_SERIAL, HeaderValue::from(serial.get()));
    response
}

/// A 404 that a first upload will purge: it carries the project's key.
pub fn not_found_yet(keys: &[SurrogateKey]) -> Response {
    let mut response = ApiError::not_found("404 Not Found").into_plain_response();
    // Kept for a minute only: names that nobody ever uploads must not fill a cache.
    set_cdn_headers(response.headers_mut(), keys, "max-age=60");
    response
}
