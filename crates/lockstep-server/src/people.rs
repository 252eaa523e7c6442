//! Pages for people: the front page, the search, and a page for each project and release.
//!
//! Rendered here, complete without JavaScript, in one request each. Not what installers and mirrors
//! read: nothing here is hashed into the changelog.
//!
//! Two clocks, as in [`crate::read`]: a project's page is fresh and carries its key, so that a change
//! purges it; the front page and the search speak of the whole index at the announced serial, and live
//! seconds at the edge.
//!
//! Invariant: a page of this index runs no script and loads nothing: [`guard`] forbids it, whatever
//! a publisher has written.

mod front;
mod project;
mod readme;
mod search;

use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::header::{REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use axum::routing::get;
use base64::Engine as _;
use jiff::Timestamp;
use lockstep_core::digest::Sha256;
use lockstep_core::page::page_time;
use lockstep_core::plan::SurrogateKey;
use lockstep_core::serial::Serial;

use crate::app::App;
use crate::error::ApiError;
use crate::read::answer::{self, Meta};
use crate::read::cache::Representation;
use crate::read::moved;
use crate::settings::Settings;

const HTML: &str = "text/html; charset=UTF-8";

/// Pages that speak of the whole index live this long at the edge: an older one is complete.
const WHOLE_INDEX_AT_EDGE: &str = "max-age=10, stale-if-error=86400";

/// In each page: a page is one request.
const STYLE: &str = include_str!("people/style.css");

/// A drawing of two steps in one measure.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'\
    %3E%3Crect width='16' height='16' rx='3' fill='%231d5b86'/%3E%3Cpath d='M3 12h4V8h3V4h3' \
    fill='none' stroke='%23fff' stroke-width='2'/%3E%3C/svg%3E";

/// The routes.
pub(crate) fn router() -> Router<App> {
    let projects = Router::new()
        .route("/{project}", get(project::without_slash))
        .route("/{project}/", get(project::latest))
        .route("/{project}/{version}", get(project::release_without_slash))
        .route("/{project}/{version}/", get(project::release))
        .fallback(project::nothing);
    Router::new()
        .route("/", get(front::front))
        .route("/search", get(async || moved("/search/")))
        .route("/search/", get(search::search))
        // Alone it is no nested route, and would fall through to the plain 404 of the router above.
        .route("/project", get(project::nothing))
        .route("/project/", get(project::nothing))
        .nest("/project", projects)
}

/// What every page says of the index.
struct Site<'a> {
    /// What it is called: the host of its address.
    host: &'a str,
    /// Its address, without a trailing slash.
    url: &'a str,
    style: &'static str,
    icon: &'static str,
}

impl<'a> Site<'a> {
    fn of(settings: &'a Settings) -> Self {
        let url = settings.public_url.as_str();
        let host = url.split_once("://").map_or(url, |(_, host)| host);
        let (style, icon) = (STYLE, ICON);
        Self {
            host,
            url,
            style,
            icon,
        }
    }
}

/// A moment, for people and for machines.
struct Moment {
    text: String,
    iso: String,
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self {
            text: at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            iso: page_time(at),
        }
    }
}

fn rendered(template: &impl Template) -> Result<Vec<u8>, ApiError> {
    let html = template.render().map_err(ApiError::internal)?;
    Ok(html.into_bytes())
}

/// A page of one project, which its changes purge.
async fn project_page(
    app: &App,
    request: &HeaderMap,
    serial: Serial,
    key: SurrogateKey,
    text: &Arc<Representation>,
) -> Response {
    let keys = [key];
    let meta = Meta::page(serial, text.sha256, HTML, &keys, &app.settings.cache);
    send(request, meta, text).await
}

/// A page that speaks of the whole index.
async fn index_page(app: &App, request: &HeaderMap, serial: Serial, html: Vec<u8>) -> Response {
    let sha256 = Sha256::of(&html);
    let text = Arc::new(Representation::new(html.into(), sha256));
    let keys = [SurrogateKey::simple_index()];
    let mut meta = Meta::page(serial, sha256, HTML, &keys, &app.settings.cache);
    meta.edge = WHOLE_INDEX_AT_EDGE;
    send(request, meta, &text).await
}

async fn send(request: &HeaderMap, mut meta: Meta<'_>, text: &Arc<Representation>) -> Response {
    meta.vary = "Accept-Encoding";
    let mut response = match answer::not_modified(request, &meta) {
        Some(response) => response,
        None => answer::full(request, &meta, text).await,
    };
    guard(response.headers_mut());
    response
}

#[derive(Template)]
#[template(path = "missing.html")]
struct Missing<'a> {
    site: Site<'a>,
}

/// 404 for people; with the project's key where one can come to be.
fn missing(app: &App, keys: &[SurrogateKey]) -> Response {
    let plain = if keys.is_empty() {
        ApiError::not_found("404 Not Found").into_plain_response()
    } else {
        answer::not_found_yet(keys)
    };
    let site = Site::of(&app.settings);
    let html = match rendered(&Missing { site }) {
        Ok(html) => html,
        Err(error) => return error.into_plain_response(),
    };
    let (mut parts, _) = plain.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static(HTML));
    guard(&mut parts.headers);
    Response::from_parts(parts, Body::from(html))
}

/// What a browser may do with a page: apply our style, send the search form, and nothing else.
fn guard(headers: &mut HeaderMap) {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
        let engine = base64::engine::general_purpose::STANDARD;
        let style = engine.encode(Sha256::of(STYLE.as_bytes()).as_bytes());
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; img-src data:; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'"
        );
        HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
    });
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Which project somebody looked at is nobody else's business.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}
