//! The changelog over HTTP: what happened, what each page must hash to, which files
//! it must show.
//!
//! Mirrors are told up to the announced serial; `horizon=committed` shows the rest to operators.
//! Rows up to either are immutable, so the watermarks are read first and the rows after.

use std::time::Duration;

use axum::extract::{Path, Query, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use lockstep_core::announce::Watermarks;
use lockstep_core::manifest::files_of_content;
use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_core::page::{Sealed, page_time};
use lockstep_core::serial::Serial;
use lockstep_store::changelog::{self, ChangeRow, Content, PageRef};
use lockstep_store::watermarks;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use crate::app::App;
use crate::error::ApiError;

/// `meta` of every answer.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Meta {
    api_version: &'static str,
    index_id: Uuid,
    committed_serial: Serial,
    purged_serial: Serial,
    verified_serial: Serial,
    announced_serial: Serial,
}

fn meta(app: &App, marks: Watermarks) -> Meta {
    Meta {
        api_version: "1.0",
        index_id: app.identity.index_id,
        committed_serial: marks.committed,
        purged_serial: marks.purged,
        verified_serial: marks.verified,
        announced_serial: marks.announced,
    }
}

#[derive(Serialize)]
pub(super) struct Change<'a> {
    serial: Serial,
    timestamp: String,
    project: Option<&'a str>,
    name: Option<&'a str>,
    version: Option<&'a str>,
    kind: &'a str,
    action: &'a str,
    page: Option<Page>,
    content: Manifest,
    files: Files<'a>,
}

/// A page as the changelog tells it.
#[derive(Serialize)]
pub(crate) struct Page {
    serial: Serial,
    html: Form,
    json: Form,
}

#[derive(Serialize)]
struct Form {
    sha256: String,
    size: u64,
    url: String,
}

#[derive(Serialize)]
struct Manifest {
    sha256: String,
    url: String,
}

#[derive(Serialize)]
struct Files<'a> {
    sha256: String,
    count: i32,
    url: String,
    added: &'a serde_json::Value,
    removed: &'a serde_json::Value,
}

impl Page {
    pub(crate) fn of(page: PageRef) -> Self {
        let form = |sealed: Sealed| Form {
            sha256: sealed.sha256.to_string(),
            size: sealed.size,
            url: format!("/pages/sha256/{}", sealed.sha256),
        };
        Self {
            serial: page.serial,
            html: form(page.html),
            json: form(page.json),
        }
    }
}

impl<'a> Change<'a> {
    pub(super) fn of(row: &'a ChangeRow) -> Self {
        let serial = row.serial;
        Self {
            serial,
            timestamp: page_time(row.at),
            project: row.project.as_ref().map(NormalizedName::as_str),
            name: row.name.as_ref().map(ProjectName::as_str),
            version: row.version.as_deref(),
            kind: &row.kind,
            action: &row.action,
            page: row.page.map(Page::of),
            content: Manifest {
                sha256: row.content_sha256.to_string(),
                url: format!("/changelog/{serial}/content"),
            },
            files: Files {
                sha256: row.files_sha256.to_string(),
                count: row.files_count,
                url: format!("/changelog/{serial}/files"),
                added: &row.added,
                removed: &row.removed,
            },
        }
    }
}

/// The query of `GET /changelog/`; wrong values are refused, not corrected.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    since: Option<String>,
    limit: Option<String>,
    wait: Option<String>,
    project: Option<String>,
    horizon: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Horizon {
    Announced,
    Committed,
}

impl Horizon {
    fn of(self, marks: Watermarks) -> Serial {
        match self {
            Self::Announced => marks.announced,
            Self::Committed => marks.committed,
        }
    }
}

/// `GET /changelog/?since=N&limit=L&wait=S&project=P&horizon=…`
pub async fn since(
    State(app): State<App>,
    query: Result<Query<Since>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|error| ApiError::bad_request("query", error.body_text()))?;
    let after: Serial = parameter("since", query.since)?.unwrap_or_default();
    let limit: u32 = parameter("limit", query.limit)?.unwrap_or(1000);
    let wait: u64 = parameter("wait", query.wait)?.unwrap_or(0);
    let project: Option<ProjectName> = parameter("project", query.project)?;
    let project = project.map(|name| name.normalized());
    if !(1..=10_000).contains(&limit) {
        return Err(ApiError::bad_request(
            "limit",
            "limit: expected a number from 1 to 10000.",
        ));
    }
    if wait > 60 {
        return Err(ApiError::bad_request(
            "wait",
            "wait: expected seconds from 0 to 60.",
        ));
    }
    let horizon = match query.horizon.as_deref() {
        None | Some("announced") => Horizon::Announced,
        Some("committed") => Horizon::Committed,
        Some(_) => {
            let message = "horizon: expected `announced` or `committed`.";
            return Err(ApiError::bad_request("horizon", message));
        }
    };
    let deadline = Instant::now() + Duration::from_secs(wait);
    let mut known = app.wakes.marks.subscribe();
    loop {
        let connection = app.store.connection().await?;
        let marks = watermarks::read(&connection).await?;
        let up_to = horizon.of(marks);
        // One more than asked for tells whether there are more.
        let mut rows =
            changelog::since(&connection, after, up_to, limit + 1, project.as_ref()).await?;
        drop(connection);
        if rows.is_empty() && Instant::now() < deadline && !app.shutdown.is_cancelled() {
            // One task of this process asks the database for everybody who waits here.
            let news = known.wait_for(|marks| marks.is_some_and(|marks| horizon.of(marks) > up_to));
            tokio::select! {
                _ = news => {}
                () = tokio::time::sleep_until(deadline) => {}
                () = app.shutdown.cancelled() => {}
            }
            continue;
        }
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        return Ok(changes(&app, marks, after, &rows, more));
    }
}

fn changes(
    app: &App,
    marks: Watermarks,
    after: Serial,
    rows: &[ChangeRow],
    more: bool,
) -> Response {
    #[derive(Serialize)]
    struct Changes<'a> {
        meta: Meta,
        changes: Vec<Change<'a>>,
        next: Serial,
        more: bool,
    }
    let next = rows.last().map_or(after, |row| row.serial);
    let changes = rows.iter().map(Change::of).collect();
    json(&Changes {
        meta: meta(app, marks),
        changes,
        next,
        more,
    })
}

pub(super) fn parameter<T: std::str::FromStr<Err: std::fmt::Display>>(
    name: &'static str,
    value: Option<String>,
) -> Result<Option<T>, ApiError> {
    value
        .map(|text| {
            text.parse()
                .map_err(|error| ApiError::bad_request(name, format!("{name}: {error}.")))
        })
        .transpose()
}

/// `GET /changelog/state`
pub async fn state(State(app): State<App>) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct State {
        meta: Meta,
    }
    let connection = app.store.connection().await?;
    let marks = watermarks::read(&connection).await?;
    Ok(json(&State {
        meta: meta(&app, marks),
    }))
}

/// `GET /changelog/{serial}`
pub async fn row(State(app): State<App>, Path(serial): Path<String>) -> Result<Response, ApiError> {
    let serial = announced(&app, &serial).await?;
    let connection = app.store.connection().await?;
    let row = changelog::row(&connection, serial)
        .await?
        .ok_or_else(unknown)?;
    Ok(json(&Change::of(&row)))
}

/// `GET /changelog/{serial}/content`
pub async fn content(
    State(app): State<App>,
    Path(serial): Path<String>,
) -> Result<Response, ApiError> {
    Ok(plain(
        manifest(&app, &serial).await?,
        "application/x-ndjson",
    ))
}

/// `GET /changelog/{serial}/files`
pub async fn files(
    State(app): State<App>,
    Path(serial): Path<String>,
) -> Result<Response, ApiError> {
    let content = manifest(&app, &serial).await?;
    let files = files_of_content(&content)
        .ok_or_else(|| lockstep_store::StoreError::Corrupt("states.content".to_owned()))?;
    Ok(plain(files, "text/plain; charset=utf-8"))
}

async fn manifest(app: &App, serial: &str) -> Result<Vec<u8>, ApiError> {
    let serial = announced(app, serial).await?;
    let connection = app.store.connection().await?;
    match changelog::content(&connection, serial).await? {
        Some(Content::Here(bytes)) => Ok(bytes.to_vec()),
        Some(Content::Gone) => {
            let message = "This state was replaced longer ago than the retention time.";
            Err(ApiError::new(StatusCode::GONE, "gone", message))
        }
        None => Err(unknown()),
    }
}

/// A serial in a path: 404 with `Retry-After` when it is not announced yet.
pub(super) async fn announced(app: &App, text: &str) -> Result<Serial, ApiError> {
    let serial: Serial = text
        .parse()
        .map_err(|error| ApiError::bad_request("serial", format!("{error}.")))?;
    let connection = app.store.connection().await?;
    let marks = watermarks::read(&connection).await?;
    if serial == Serial::ZERO {
        return Err(unknown());
    }
    if serial > marks.announced {
        let message = format!("Serial {serial} is not announced yet.");
        return Err(ApiError::not_found(message).retry_after(1));
    }
    Ok(serial)
}

fn unknown() -> ApiError {
    ApiError::not_found("There is no such serial.")
}

fn plain(body: Vec<u8>, content_type: &'static str) -> Response {
    (
        [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store")],
        body,
    )
        .into_response()
}

fn json(body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => plain(bytes, "application/json"),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

/// `GET /changelog`: the slash belongs there.
pub async fn without_slash(RawQuery(query): RawQuery) -> Response {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    super::moved(&format!("/changelog/{query}"))
}
