//! `/api/projects/…`: orders over HTTP, for tokens with the scope `manage`.
//!
//! Answers name the serial and the page, in the changelog's own shape; refusals are `problem+json`
//! (RFC 9457) and change nothing. Not here: what an order does.

use std::str::FromStr;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use lockstep_core::name::ProjectName;
use lockstep_core::serial::Serial;
use lockstep_core::status::ProjectStatus;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Done, Order, carry_out};
use crate::app::App;
use crate::error::ApiError;
use crate::login::{Caller, log_in};
use crate::read::changelog::Page;

type Answer = Result<Response, ApiError>;
type Sent = Result<Bytes, BytesRejection>;
/// A project, and a version or a file name.
type Below = Path<(String, String)>;

/// `POST /api/projects/{project}/releases/{version}/yank`
pub(crate) async fn yank(app: State<App>, below: Below, caller: Caller, body: Sent) -> Answer {
    let Path((project, version)) = below;
    answer(&app, &caller, &project, || {
        let fields = fields(body, &["reason"])?;
        Ok(Order::Yank(
            named("no-release", &version)?,
            text(&fields, "reason")?,
        ))
    })
    .await
}

/// `POST /api/projects/{project}/releases/{version}/unyank`
pub(crate) async fn unyank(app: State<App>, below: Below, caller: Caller, body: Sent) -> Answer {
    let Path((project, version)) = below;
    answer(&app, &caller, &project, || {
        fields(body, &[])?;
        Ok(Order::Unyank(named("no-release", &version)?))
    })
    .await
}

/// `DELETE /api/projects/{project}/releases/{version}`
pub(crate) async fn remove_release(app: State<App>, below: Below, caller: Caller) -> Answer {
    let Path((project, version)) = below;
    answer(&app, &caller, &project, || {
        Ok(Order::RemoveRelease(named("no-release", &version)?))
    })
    .await
}

/// `DELETE /api/projects/{project}/files/{filename}`
pub(crate) async fn remove_file(app: State<App>, below: Below, caller: Caller) -> Answer {
    let Path((project, filename)) = below;
    answer(&app, &caller, &project, || {
        Ok(Order::RemoveFile(named("no-file", &filename)?))
    })
    .await
}

/// `DELETE /api/projects/{project}`
pub(crate) async fn remove_project(
    app: State<App>,
    Path(project): Path<String>,
    caller: Caller,
) -> Answer {
    answer(&app, &caller, &project, || Ok(Order::RemoveProject)).await
}

/// `PUT /api/projects/{project}/status`
pub(crate) async fn status(
    app: State<App>,
    Path(project): Path<String>,
    caller: Caller,
    body: Sent,
) -> Answer {
    answer(&app, &caller, &project, || {
        let fields = fields(body, &["status", "reason"])?;
        let status: Option<ProjectStatus> = text(&fields, "status")?;
        let status = status.ok_or_else(|| {
            let message = "status: This field is required: active, archived, quarantined or \
                           deprecated.";
            ApiError::bad_request("status", message)
        })?;
        Ok(Order::Status(status, text(&fields, "reason")?))
    })
    .await
}

/// Who is it, what is ordered, is it done: in this order, so that strangers learn nothing.
async fn answer(
    app: &App,
    caller: &Caller,
    project: &str,
    order: impl FnOnce() -> Result<Order, ApiError>,
) -> Answer {
    let bearer = log_in(app, caller).await?;
    if !bearer.may_manage() {
        let message = "The token does not allow management: its scopes lack `manage`.";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", message));
    }
    let project = named::<ProjectName>("no-project", project)?.normalized();
    let order = order()?;
    let done = carry_out(&app.store, &app.identity.links, &project, &order).await?;
    if done.new {
        app.wakes.work();
    }
    tracing::info!(
        token = bearer.name,
        project = project.as_str(),
        serial = done.serial.get(),
        stage = "commit",
        new = done.new,
        "order carried out: {order:?}"
    );
    Ok(show(&done))
}

fn show(done: &Done) -> Response {
    #[derive(Serialize)]
    struct Shown {
        serial: Serial,
        page: Option<Page>,
    }
    let shown = Shown {
        serial: done.serial,
        page: done.page.map(Page::of),
    };
    ([(CACHE_CONTROL, "no-store")], Json(shown)).into_response()
}

/// A part of the path. What can't be a name is the name of nothing here.
fn named<T: FromStr<Err: std::fmt::Display>>(
    code: &'static str,
    text: &str,
) -> Result<T, ApiError> {
    text.parse().map_err(|error| {
        let message = format!("There is no such thing: {error}.").replace(char::is_control, " ");
        ApiError::new(StatusCode::NOT_FOUND, code, message)
    })
}

/// The body's fields, all of them known; no body is one without fields.
fn fields(body: Sent, known: &[&str]) -> Result<Map<String, Value>, ApiError> {
    let body = body.map_err(|error| ApiError::new(error.status(), "body", error.body_text()))?;
    if body.is_empty() {
        return Ok(Map::new());
    }
    let fields: Map<String, Value> = serde_json::from_slice(&body).map_err(|error| {
        ApiError::bad_request("json", format!("The body is not a JSON object: {error}."))
    })?;
    if let Some(unknown) = fields.keys().find(|field| !known.contains(&field.as_str())) {
        let unknown: String = unknown.chars().take(40).collect();
        let message = match known {
            [] => format!("{unknown}: Unknown field; expected none."),
            known => format!("{unknown}: Unknown field; expected {}.", known.join(", ")),
        };
        return Err(ApiError::bad_request("unknown-field", message));
    }
    Ok(fields)
}

/// A field that is a text, parsed; `null` is the same as nothing.
fn text<T: FromStr<Err: std::fmt::Display>>(
    fields: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<T>, ApiError> {
    let refused = |message: &str| ApiError::bad_request(name, format!("{name}: {message}."));
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(refused(&error.to_string())),
        },
        Some(_) => Err(refused("expected a text")),
    }
}
