//! `/healthz`: the process lives. `/readyz`: it can do its work.

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use lockstep_store::Health;

use crate::app::App;
use crate::error::ApiError;

/// Answers whenever the process runs; load balancers restart on its silence.
pub async fn healthz() -> Response {
    ([(CACHE_CONTROL, "no-store")], "ok\n").into_response()
}

/// 200 when the database is reachable and its schema is current, else 503 with the reason.
pub async fn readyz(State(app): State<App>) -> Response {
    match app.store.health().await {
        Ok(Health::Ready) => ([(CACHE_CONTROL, "no-store")], "ready\n").into_response(),
        Ok(Health::WrongSchema(remedy)) => {
            ApiError::unavailable("schema", remedy).into_plain_response()
        }
        Err(error) => ApiError::from(error).into_plain_response(),
    }
}
