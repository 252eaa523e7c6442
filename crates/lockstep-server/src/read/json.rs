//! The legacy JSON API, `/pypi/{project}/json`: what bandersnatch copies releases from.
//!
//! Fresh like the simple page, and made from one snapshot together with the serial in its header:
//! a header ahead of its body is the one fault that a mirror can never notice.

mod document;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use lockstep_core::name::NormalizedName;
use lockstep_core::page::{FileLinks, Form};
use lockstep_core::plan::SurrogateKey;
use lockstep_core::serial::Serial;
use lockstep_core::status::ProjectStatus;
use lockstep_core::version::Version;
use lockstep_store::pages::CurrentPage;
use lockstep_store::{begin_snapshot, files, pages, releases};

use super::answer::{self, Meta};
use super::cache::{Representation, View};
use super::{Named, moved, named};
use crate::app::App;
use crate::error::ApiError;

/// `GET /pypi/{project}/json`
pub async fn project(State(app): State<App>, path: Path<String>, headers: HeaderMap) -> Response {
    match named(path) {
        Named::Normalized(project) => respond(&app, &project, None, &headers).await,
        Named::Otherwise(project) => moved(&format!("/pypi/{project}/json")),
        Named::Impossible => not_found(&[]),
    }
}

/// `GET /pypi/{project}/{version}/json`
pub async fn release(
    State(app): State<App>,
    Path((project, version)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let Ok(version) = version.parse::<Version>() else {
        return not_found(&[]);
    };
    match named(Path(project)) {
        Named::Normalized(project) => respond(&app, &project, Some(&version), &headers).await,
        Named::Otherwise(project) => moved(&format!("/pypi/{project}/{version}/json")),
        Named::Impossible => not_found(&[]),
    }
}

async fn respond(
    app: &App,
    project: &NormalizedName,
    version: Option<&Version>,
    headers: &HeaderMap,
) -> Response {
    let keys = [SurrogateKey::project(project)];
    match answer(app, project, version, headers, &keys).await {
        Ok(Some(response)) => response,
        Ok(None) => not_found(&keys),
        Err(error) => error.into_response(),
    }
}

/// The public index's own words.
fn not_found(keys: &[SurrogateKey]) -> Response {
    let mut response = answer::not_found_yet(keys);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let kept = headers.clone();
    let mut response = (StatusCode::NOT_FOUND, r#"{"message": "Not Found"}"#).into_response();
    for (name, value) in &kept {
        if name != CACHE_CONTROL && !name.as_str().starts_with("content-length") {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    response
}

async fn answer(
    app: &App,
    project: &NormalizedName,
    version: Option<&Version>,
    headers: &HeaderMap,
    keys: &[SurrogateKey],
) -> Result<Option<Response>, ApiError> {
    // Which page is current is known as of after the request came in; the text is a function of it.
    let Some(page) = super::simple::current(app, project, headers).await? else {
        return Ok(None);
    };
    // With the page's hash: in a database that was restored, a serial alone may mean something else.
    let view = |page: &CurrentPage| View {
        what: format!(
            "json {project} {} {:?}",
            version.map(Version::canonical).unwrap_or_default(),
            page.hash(Form::Json)
        ),
        serial: page.serial.get(),
    };
    let (serial, text) = match app.pages.view(&view(&page)).await {
        Some(text) => (page.serial, text),
        None => match rendered(app, project, version).await? {
            Some((page, bytes)) => {
                let text = app.pages.put_view(view(&page), bytes.into()).await;
                (page.serial, text)
            }
            None => return Ok(None),
        },
    };
    Ok(Some(send(app, headers, keys, serial, &text).await))
}

async fn send(
    app: &App,
    headers: &HeaderMap,
    keys: &[SurrogateKey],
    serial: Serial,
    text: &Arc<Representation>,
) -> Response {
    let cache = &app.settings.cache;
    let meta = Meta::page(serial, text.sha256, "application/json", keys, cache);
    match answer::not_modified(headers, &meta) {
        Some(response) => response,
        None => answer::full(headers, &meta, text).await,
    }
}

/// The document and the page it belongs to, from one snapshot; `None`: no such project or release.
async fn rendered(
    app: &App,
    project: &NormalizedName,
    version: Option<&Version>,
) -> Result<Option<(CurrentPage, Vec<u8>)>, ApiError> {
    let mut connection = app.store.connection().await?;
    let snapshot = begin_snapshot(&mut connection).await?;
    let Some(page) = pages::current(&snapshot, project).await? else {
        return Ok(None);
    };
    // Quarantined projects answer 404 here, as in the public index.
    if page.hashes.is_none() || page.status == ProjectStatus::Quarantined {
        return Ok(None);
    }
    let releases = releases::of_project(&snapshot, page.project).await?;
    let files = files::of_project(&snapshot, page.project).await?;
    drop(snapshot);
    let public_url = &app.settings.public_url;
    let files_base = match &app.identity.links {
        FileLinks::Relative => public_url.clone(),
        FileLinks::At(base) => base.clone(),
    };
    let source = document::Source {
        public_url,
        files_base: &files_base,
        serial: page.serial,
    };
    let bytes = document::render(&source, project, version, releases, &files);
    bytes
        .map(|bytes| bytes.map(|bytes| (page, bytes)))
        .map_err(ApiError::internal)
}
