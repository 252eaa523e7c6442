//! `/pages/sha256/{hex}`: a page by its hash. No cache can make this address stale (promise P6).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use lockstep_core::digest::Sha256;
use lockstep_core::page::Form;
use lockstep_core::serial::Serial;
use lockstep_store::pages;

use super::answer::{self, Meta};
use super::cache::Representation;
use super::negotiate::PageType;
use crate::app::App;
use crate::error::ApiError;

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The bytes behind a hash, from memory or from the database.
pub(super) async fn bytes(
    app: &App,
    hash: Sha256,
) -> Result<Option<Arc<Representation>>, ApiError> {
    if let Some(found) = app.pages.get(hash).await {
        return Ok(Some(found));
    }
    let connection = app.store.connection().await?;
    let Some(page) = pages::by_hash(&connection, hash).await? else {
        return Ok(None);
    };
    Ok(Some(
        app.pages.put(Representation::new(page.bytes, hash)).await,
    ))
}

/// `GET /pages/sha256/{hex}`
pub async fn by_hash(
    State(app): State<App>,
    Path(hex): Path<String>,
    headers: HeaderMap,
) -> Response {
    match answer(&app, &hex, &headers).await {
        Ok(response) => answer::sandboxed(response),
        Err(error) => error.into_response(),
    }
}

async fn answer(app: &App, hex: &str, headers: &HeaderMap) -> Result<Response, ApiError> {
    let hash: Sha256 = hex
        .parse()
        .map_err(|error| ApiError::bad_request("hash", format!("{error}")))?;
    if hash.to_string() != hex {
        // One address a page: an upper-case spelling would be cached apart.
        return Ok(super::moved(&format!("/pages/sha256/{hash}")));
    }
    let connection = app.store.connection().await?;
    let Some(page) = pages::by_hash(&connection, hash).await? else {
        return Err(gone_or_unknown(pages::ever_known(&connection, hash).await?));
    };
    drop(connection);
    let kind = match page.form {
        Form::Html => PageType::TextHtml,
        Form::Json => PageType::JsonV1,
    };
    let meta = by_hash_meta(page.serial, hash, kind);
    if let Some(response) = answer::not_modified(headers, &meta) {
        return Ok(response);
    }
    let kept = match app.pages.get(hash).await {
        Some(kept) => kept,
        None => app.pages.put(Representation::new(page.bytes, hash)).await,
    };
    Ok(answer::full(headers, &meta, &kept).await)
}

fn by_hash_meta(serial: Serial, sha256: Sha256, kind: PageType) -> Meta<'static> {
    Meta {
        serial,
        sha256,
        content_type: kind.content_type(),
        keys: &[],
        edge: FOR_EVER,
        clients: FOR_EVER,
        vary: "Accept-Encoding",
    }
}

fn gone_or_unknown(known: bool) -> ApiError {
    if known {
        let message = "This page was replaced longer ago than the retention time.";
        return ApiError::new(StatusCode::GONE, "gone", message);
    }
    ApiError::not_found("No page with this hash was ever announced.")
}

/// Marks an answer that nothing can ever change.
pub(super) fn immutable(response: &mut Response) {
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
}
