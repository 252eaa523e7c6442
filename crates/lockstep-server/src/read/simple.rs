//! `/simple/`: the list of projects at the announced serial, and each project's page, fresh.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use lockstep_core::name::NormalizedName;
use lockstep_core::page::{Form, index};
use lockstep_core::plan::SurrogateKey;
use lockstep_core::serial::Serial;
use lockstep_store::pages::CurrentPage;
use lockstep_store::{projects, watermarks};

use super::answer::{self, Meta};
use super::cache::{Representation, View};
use super::negotiate::page_type;
use super::{Named, min_serial, moved, named};
use crate::app::App;
use crate::error::ApiError;

/// The list is a snapshot with a short life at the edge: an older one is complete, never wrong.
const LIST_AT_EDGE: &str = "max-age=10, stale-if-error=86400";

/// `GET /simple/{project}/`
pub async fn project(
    State(app): State<App>,
    path: Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match named(path) {
        Named::Normalized(project) => match page(&app, &project, query, &headers).await {
            Ok(response) => answer::sandboxed(response),
            Err(error) => error.into_plain_response(),
        },
        Named::Otherwise(project) => moved(&format!("/simple/{project}/")),
        Named::Impossible => ApiError::not_found("404 Not Found").into_plain_response(),
    }
}

/// `GET /simple/{project}`, `GET /simple`: the slash belongs there.
pub async fn without_slash(path: Path<String>) -> Response {
    match named(path) {
        Named::Normalized(project) | Named::Otherwise(project) => {
            moved(&format!("/simple/{project}/"))
        }
        Named::Impossible => ApiError::not_found("404 Not Found").into_plain_response(),
    }
}

async fn page(
    app: &App,
    project: &NormalizedName,
    query: Option<String>,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let wanted = page_type(headers, query.as_deref());
    let keys = [SurrogateKey::project(project)];
    let Some(current) = current(app, project, headers).await? else {
        return Ok(answer::not_found_yet(&keys));
    };
    let Some(hash) = current.hash(wanted.form()) else {
        let gone = answer::not_found_yet(&keys);
        return Ok(answer::gone_at(gone, current.serial));
    };
    let cache = &app.settings.cache;
    let meta = Meta::page(current.serial, hash, wanted.content_type(), &keys, cache);
    if let Some(response) = answer::not_modified(headers, &meta) {
        return Ok(response);
    }
    let bytes = super::pages::bytes(app, hash).await?.ok_or_else(|| {
        // Between the two look-ups a newer page came and retention let this one go.
        ApiError::unavailable("page-moved", "The page is changing; ask again.")
    })?;
    Ok(answer::full(headers, &meta, &bytes).await)
}

/// Which page is current, as of after the request came in (promise P4); `None`: the name was never
/// used. Shared with the JSON API.
pub(super) async fn current(
    app: &App,
    project: &NormalizedName,
    headers: &HeaderMap,
) -> Result<Option<CurrentPage>, ApiError> {
    let at_least = min_serial(headers)?;
    let current = app.fresh.current(project).await?;
    if let Some(at_least) = at_least
        && current.is_none_or(|page| page.serial < at_least)
    {
        let message = format!("This origin has no state of `{project}` at serial {at_least} yet.");
        return Err(ApiError::unavailable("behind", message));
    }
    Ok(current)
}

/// `GET /simple/`
pub async fn list(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match list_at_announced(&app, query, &headers).await {
        Ok(response) => answer::sandboxed(response),
        Err(error) => error.into_response(),
    }
}

/// The whole index, in memory: not by everybody at once, and not again by who has waited.
async fn render_list(
    app: &App,
    form: Form,
    view: View,
    announced: Serial,
) -> Result<Arc<Representation>, ApiError> {
    let _turn = app.turns.bulk_read().await?;
    if let Some(list) = app.pages.view(&view).await {
        return Ok(list);
    }
    let connection = app.store.connection().await?;
    let entries = projects::list_at(&connection, announced).await?;
    let bytes = match form {
        Form::Html => index::html(&entries),
        Form::Json => index::json(&entries, announced),
    };
    Ok(app.pages.put_view(view, bytes.into()).await)
}

async fn list_at_announced(
    app: &App,
    query: Option<String>,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let form = page_type(headers, query.as_deref());
    let connection = app.store.connection().await?;
    let announced = watermarks::read(&connection).await?.announced;
    drop(connection);
    if let Some(at_least) = min_serial(headers)?
        && announced < at_least
    {
        let message =
            format!("Serial {at_least} is not announced yet; the last one is {announced}.");
        return Err(ApiError::unavailable("behind", message));
    }
    let view = View {
        what: format!("list {:?}", form.form()),
        serial: announced.get(),
    };
    let list: Arc<Representation> = if let Some(list) = app.pages.view(&view).await {
        list
    } else {
        render_list(app, form.form(), view, announced).await?
    };
    let keys = [SurrogateKey::simple_index()];
    let cache = &app.settings.cache;
    let mut meta = Meta::page(announced, list.sha256, form.content_type(), &keys, cache);
    meta.edge = LIST_AT_EDGE;
    if let Some(response) = answer::not_modified(headers, &meta) {
        return Ok(response);
    }
    Ok(answer::full(headers, &meta, &list).await)
}
