//! What a request may be at all, looked at before anything else is: its address, its headers, the pace
//! of its body.
//!
//! Not here: connections (`crate::serve`), and what may be in a body. Invariant: what is refused here
//! has cost no query, and is in no log above `debug`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::CONNECTION;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;
use crate::error::ApiError;
use crate::pace::Paced;
use crate::settings::LimitSettings;

/// Refuses what is too large; times what comes slowly.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let limits = &app.settings.limits;
    if let Err(error) = check_head(request.uri(), request.headers(), limits) {
        return error.into_plain_response();
    }
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let slow = Arc::<AtomicBool>::default();
    let headers = request.headers().clone();
    let paced = request.map(|body| Body::new(Paced::new(body, limits, slow.clone())));
    let response = next.run(paced).await;
    if slow.load(Ordering::Relaxed) {
        // Whatever the body's reader made of its sudden end.
        too_slow(&headers, limits)
    } else {
        response
    }
}

fn check_head(uri: &Uri, headers: &HeaderMap, limits: &LimitSettings) -> Result<(), ApiError> {
    let length = uri.path_and_query().map_or(0, |path| path.as_str().len());
    let most = limits.max_url_length;
    if length as u64 > most.as_u64() {
        let message = format!("The address has {length} bytes; at most {most} are taken.");
        return Err(ApiError::new(
            StatusCode::URI_TOO_LONG,
            "url-too-long",
            message,
        ));
    }
    let too_large = |message| {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        Err(ApiError::new(status, "headers-too-large", message))
    };
    let (count, most) = (headers.len(), limits.max_headers);
    if count > most {
        return too_large(format!(
            "The request has {count} headers; at most {most} are taken."
        ));
    }
    let size: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    let most = limits.max_header_size;
    if size as u64 > most.as_u64() {
        return too_large(format!(
            "The headers have {size} bytes; at most {most} are taken."
        ));
    }
    Ok(())
}

fn too_slow(headers: &HeaderMap, limits: &LimitSettings) -> Response {
    let message = format!(
        "The request's body came too slowly: it may not stand still for {}, nor come at less than {} a \
         second.",
        humantime::format_duration(limits.body_timeout),
        limits.min_body_rate
    );
    let error = ApiError::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", message);
    let mut response = error.into_upload_response(headers);
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}
