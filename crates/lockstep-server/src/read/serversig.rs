//! `/serversig/{project}/`: where mirrors of 2013 expect a signature of the page (PEP 381).
//!
//! Pages are not signed. What stands here instead is the hash and the serial of the HTML page, which
//! such a mirror keeps beside its copy of it and needs to go on at all. It is fresh as the page is, from
//! the same look, and goes with it: the same keys, so what purges the page purges this.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use lockstep_core::digest::Sha256;
use lockstep_core::name::NormalizedName;
use lockstep_core::page::Form;
use lockstep_core::plan::SurrogateKey;

use super::answer::{self, Meta};
use super::cache::Representation;
use super::{Named, moved, named, simple};
use crate::app::App;
use crate::error::ApiError;

/// `GET /serversig/{project}/`; other spellings redirect, as they do at the page.
pub async fn project(State(app): State<App>, path: Path<String>, headers: HeaderMap) -> Response {
    match named(path) {
        Named::Normalized(project) => match line(&app, &project, &headers).await {
            Ok(response) => response,
            Err(error) => error.into_plain_response(),
        },
        Named::Otherwise(project) => moved(&format!("/serversig/{project}/")),
        Named::Impossible => ApiError::not_found("404 Not Found").into_plain_response(),
    }
}

/// `GET /serversig/{project}`: the slash belongs there.
pub async fn without_slash(path: Path<String>) -> Response {
    match named(path) {
        Named::Normalized(project) | Named::Otherwise(project) => {
            moved(&format!("/serversig/{project}/"))
        }
        Named::Impossible => ApiError::not_found("404 Not Found").into_plain_response(),
    }
}

async fn line(
    app: &App,
    project: &NormalizedName,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let keys = [SurrogateKey::project(project)];
    let Some(page) = simple::current(app, project, headers).await? else {
        return Ok(answer::not_found_yet(&keys));
    };
    let Some(hash) = page.hash(Form::Html) else {
        return Ok(answer::gone_at(answer::not_found_yet(&keys), page.serial));
    };
    let text = format!("sha256:{hash} {}\n", page.serial);
    let sha256 = Sha256::of(text.as_bytes());
    let cache = &app.settings.cache;
    let mut meta = Meta::page(page.serial, sha256, "text/plain", &keys, cache);
    meta.vary = "Accept-Encoding";
    if let Some(response) = answer::not_modified(headers, &meta) {
        return Ok(response);
    }
    let text = Arc::new(Representation::new(text.into(), sha256));
    Ok(answer::full(headers, &meta, &text).await)
}
