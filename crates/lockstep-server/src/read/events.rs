//! `/changelog/events`: the changelog as a stream of Server-Sent Events.
//!
//! Announced rows only, each once, in order; resumes by `Last-Event-ID`. A stream reads the database
//! when there are rows for it, never to find out whether there are any.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, Stream};
use lockstep_core::serial::Serial;
use lockstep_store::{StoreError, changelog, watermarks};
use serde::Deserialize;
use tokio::sync::watch;

use super::changelog::{Change, parameter};
use crate::app::App;
use crate::error::ApiError;

/// Rows read at a time; a reader that lags reads on from where it is.
const BATCH: u32 = 500;

/// The query of `GET /changelog/events`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct From {
    since: Option<String>,
}

/// `GET /changelog/events`
pub async fn events(
    State(app): State<App>,
    query: Result<Query<From>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|error| ApiError::bad_request("query", error.body_text()))?;
    let resumed = headers
        .get("last-event-id")
        .map(|value| value.to_str().unwrap_or("?").to_owned());
    let resumed: Option<Serial> = parameter("Last-Event-ID", resumed)?;
    let since: Option<Serial> = parameter("since", query.since)?;
    let connection = app.store.connection().await?;
    let announced = watermarks::read(&connection).await?.announced;
    drop(connection);
    let from = resumed.or(since).unwrap_or(announced);
    if from > announced {
        let message = format!("Serial {from} is not announced yet; the last one is {announced}.");
        return Err(ApiError::not_found(message).retry_after(1));
    }
    let alive = KeepAlive::new()
        .interval(Duration::from_secs(15))
        .text("still here");
    let stream = rows(app, from);
    let no_store = [(axum::http::header::CACHE_CONTROL, "no-store")];
    Ok((no_store, Sse::new(stream).keep_alive(alive)).into_response())
}

struct Reader {
    marks: watch::Receiver<Option<lockstep_core::announce::Watermarks>>,
    app: App,
    /// The last row sent.
    at: Serial,
    /// Rows read and not sent yet.
    ready: std::vec::IntoIter<Event>,
}

fn rows(app: App, from: Serial) -> impl Stream<Item = Result<Event, Infallible>> {
    let marks = app.wakes.marks.subscribe();
    let reader = Reader {
        marks,
        app,
        at: from,
        ready: Vec::new().into_iter(),
    };
    stream::unfold(reader, async |mut reader| {
        loop {
            if let Some(event) = reader.ready.next() {
                return Some((Ok(event), reader));
            }
            match reader.read().await {
                // Ends with the process; the client reconnects elsewhere by its last id.
                Ok(false) => return None,
                Ok(true) => {}
                Err(error) => {
                    tracing::warn!(kind = error.kind(), "a stream of events ends: {error}");
                    return None;
                }
            }
        }
    })
}

impl Reader {
    /// Waits until there are rows beyond the last one sent, and reads them; false: shutdown.
    async fn read(&mut self) -> Result<bool, StoreError> {
        let at = self.at;
        let shutdown = self.app.shutdown.clone();
        let announced = tokio::select! {
            marks = self.marks.wait_for(|marks| marks.is_some_and(|marks| marks.announced > at)) => {
                marks.ok().and_then(|marks| marks.map(|marks| marks.announced))
            }
            () = shutdown.cancelled() => None,
        };
        let Some(announced) = announced else {
            return Ok(false);
        };
        let connection = self.app.store.connection().await?;
        let rows = changelog::since(&connection, at, announced, BATCH, None).await?;
        self.at = rows.last().map_or(announced, |row| row.serial);
        let events: Vec<Event> = rows.iter().filter_map(event).collect();
        self.ready = events.into_iter();
        Ok(true)
    }
}

fn event(row: &changelog::ChangeRow) -> Option<Event> {
    let event = Event::default().id(row.serial.to_string()).event("change");
    event.json_data(Change::of(row)).ok()
}
