//! Snapshots and segments: what never changes, so that caches can carry it for ever and a mirror can
//! begin without asking the origin row by row.
//!
//! Both are streamed or bounded: memory does not grow with the index.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, Stream};
use lockstep_core::digest::Sha256;
use lockstep_core::name::NormalizedName;
use lockstep_core::serial::Serial;
use lockstep_store::projects::{self, SnapshotRow};
use lockstep_store::{changelog, watermarks};
use serde::Serialize;

use super::changelog::{Change, announced};
use super::pages::immutable;
use crate::app::App;
use crate::error::ApiError;

/// Projects read at a time.
const BATCH: i64 = 2000;
/// Rows of a segment.
const SEGMENT: u64 = 1000;

/// `GET /snapshot/`: to the announced serial.
pub async fn latest(State(app): State<App>) -> Result<Response, ApiError> {
    let connection = app.store.connection().await?;
    let announced = watermarks::read(&connection).await?.announced;
    let to = [
        (LOCATION, format!("/snapshot/{announced}")),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((StatusCode::TEMPORARY_REDIRECT, to).into_response())
}

/// `GET /snapshot/{serial}`: every project at that serial, a line each.
pub async fn at(State(app): State<App>, Path(serial): Path<String>) -> Result<Response, ApiError> {
    // Before the first change there is a snapshot, too: the empty one.
    let serial = if serial == "0" {
        Serial::ZERO
    } else {
        announced(&app, &serial).await?
    };
    let mut response = Body::from_stream(lines(app, serial)).into_response();
    immutable(&mut response);
    let kind = axum::http::HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

#[derive(Serialize)]
struct Line<'a> {
    project: &'a str,
    serial: Serial,
    html: Sha256,
    json: Sha256,
    content: Sha256,
}

/// A failure in the middle cuts the body short of its last chunk, which no client takes for an end. The
/// turn is held while a batch is read, and not while the client takes it.
fn lines(app: App, at: Serial) -> impl Stream<Item = Result<Bytes, ApiError>> {
    stream::try_unfold(
        (app, at, None),
        async |(app, at, after): (App, Serial, After)| {
            let _turn = app.turns.bulk_read().await?;
            let connection = app.store.connection().await?;
            let rows = projects::snapshot_at(&connection, at, after.as_ref(), BATCH).await?;
            drop(connection);
            let Some(last) = rows.last() else {
                return Ok(None);
            };
            let next = Some(last.project.clone());
            Ok(Some((text(&rows), (app, at, next))))
        },
    )
}

/// The last project sent.
type After = Option<NormalizedName>;

fn text(rows: &[SnapshotRow]) -> Bytes {
    let mut out = Vec::with_capacity(rows.len() * 300);
    for row in rows {
        // A project that is gone is not in the snapshot.
        let Some((html, json)) = row.hashes else {
            continue;
        };
        let (project, serial, content) = (row.project.as_str(), row.serial, row.content_sha256);
        let line = Line {
            project,
            serial,
            html,
            json,
            content,
        };
        if serde_json::to_writer(&mut out, &line).is_ok() {
            out.push(b'\n');
        }
    }
    out.into()
}

/// `GET /changelog/segments/{n}`: rows n·1000+1 … (n+1)·1000, once all of them are announced.
pub async fn segment(State(app): State<App>, Path(n): Path<String>) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Segment<'a> {
        changes: Vec<Change<'a>>,
    }
    let n: u64 = n
        .parse()
        .ok()
        .filter(|n| *n < u64::MAX / SEGMENT / 4)
        .ok_or_else(|| ApiError::bad_request("segment", "segment: expected a whole number."))?;
    let first = Serial::ZERO.plus(n * SEGMENT);
    let last = first.plus(SEGMENT);
    let connection = app.store.connection().await?;
    let announced = watermarks::read(&connection).await?.announced;
    if announced < last {
        let message = format!("Segment {n} is complete when serial {last} is announced.");
        return Err(ApiError::not_found(message).retry_after(60));
    }
    let rows = changelog::since(&connection, first, last, 1000, None).await?;
    let body = serde_json::to_vec(&Segment {
        changes: rows.iter().map(Change::of).collect(),
    })
    .map_err(ApiError::internal)?;
    let mut response = ([(CONTENT_TYPE, "application/json")], body).into_response();
    immutable(&mut response);
    Ok(response)
}
