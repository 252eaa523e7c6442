//! The data's way, in its order: upload, commit, purge, verify, announce.
//!
//! | stage | durable effect | what is true from here on |
//! |---|---|---|
//! | [`upload`] | bytes at their digest in the blob store | safe, and seen by nobody |
//! | [`commit`] | one transaction: rows, page, hash, changelog, outbox | it exists; the purge will happen |
//! | [`purge`] | outbox: pass 1, then pass 2 acknowledged | every CDN has said yes twice |
//! | [`verify`] | outbox: done | every probe has served this page or a newer one |
//! | [`announce`] | one row moves forward | mirrors may know |
//!
//! The first two run in the request that uploads, the others in loops of any process. What an operator
//! orders (`crate::manage`) begins with the commit.

mod admit;
mod agree;
pub mod archive;
mod attest;
mod budget;
mod form;
pub mod rounds;

pub mod announce;
pub mod commit;
pub mod purge;
pub mod restore;
pub mod upload;
pub mod verify;

use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::app::App;
use crate::error::ApiError;
use crate::linger;
use crate::login::{Caller, log_in};
use crate::token::Bearer;
use crate::turns::Turn;
use budget::Left;
use commit::Committed;

/// `POST /legacy/`: takes an upload, and answers once it is durable (promise P7).
pub async fn legacy(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = body.into_data_stream();
    let caller = Caller::of(&parts, &app);
    let (outcome, left) = take_upload(&app, &caller, &mut body).await;
    let mut response = match outcome {
        Ok(committed) => success(&committed),
        // The client is still sending; it will read the answer only after its last byte.
        Err(error) => linger::until_sent(error.into_upload_response(&parts.headers), body),
    };
    if let Some(left) = left {
        left.show(response.headers_mut());
    }
    response
}

/// What became of it, and what is left of the token's budget.
async fn take_upload(
    app: &App,
    caller: &Caller,
    body: &mut BodyDataStream,
) -> (Result<Committed, ApiError>, Option<Left>) {
    // Before a byte of the body is read: who is it, is it too large by its own account, and may there
    // be one more?
    let bearer = match may_upload(app, caller).await {
        Ok(bearer) => bearer,
        Err(error) => return (Err(error), None),
    };
    let taken = match budget::take(app, bearer.id).await {
        Ok(taken) => taken,
        Err((error, left)) => return (Err(error), left),
    };
    let outcome = receive_and_commit(app, &bearer, &caller.headers, body).await;
    let left = match (taken, &outcome) {
        (None, _) => None,
        (Some(taken), Ok(Committed { new: true, .. })) => Some(taken.keep()),
        (Some(taken), _) => Some(taken.give_back().await),
    };
    (outcome, left)
}

async fn may_upload(app: &App, caller: &Caller) -> Result<Bearer, ApiError> {
    let bearer = log_in(app, caller).await?;
    if !bearer.may_upload_something() {
        return Err(forbidden("The token does not allow uploads."));
    }
    form::check_length(&caller.headers, app)?;
    Ok(bearer)
}

async fn receive_and_commit(
    app: &App,
    bearer: &Bearer,
    headers: &HeaderMap,
    body: &mut BodyDataStream,
) -> Result<Committed, ApiError> {
    let (upload, _turn) = receive(app, headers, body).await?;
    if !bearer.may_upload_to(&upload.name.normalized()) {
        let project = upload.name.as_str();
        return Err(forbidden(format!(
            "The token does not allow uploads to project `{project}`."
        )));
    }
    admit::check_name(app, &upload.name).await?;
    upload::keep(&upload, app).await?;
    let committed = commit::commit(app, &upload).await?;
    tracing::info!(
        token = bearer.name, project = upload.name.as_str(), file = %upload.filename,
        serial = committed.serial.get(), stage = "commit", new = committed.new, "upload committed"
    );
    Ok(committed)
}

/// Takes an upload off the wire, when it is its turn, and checks it by itself: its form, its archive, its
/// metadata. Asks no database; what was spooled goes when the result is dropped.
pub async fn receive(
    app: &App,
    headers: &HeaderMap,
    body: &mut BodyDataStream,
) -> Result<(upload::Upload, Turn), ApiError> {
    let turn = app.turns.upload().await?;
    let form = form::receive(headers, body, app).await?;
    // All of it is here. A client that hangs up now must not free its turn while its archive is read.
    let settings = app.settings.clone();
    let work = tokio::spawn(async move { (upload::examine(form, &settings).await, turn) });
    let (upload, turn) = work.await.map_err(ApiError::internal)?;
    Ok((upload?, turn))
}

fn forbidden(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "forbidden", message)
}

fn success(committed: &Committed) -> Response {
    let mut response = Body::empty().into_response();
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static("x-lockstep-serial"),
        HeaderValue::from(committed.serial.get()),
    );
    if let Ok(hash) = HeaderValue::try_from(committed.html_sha256.to_string()) {
        headers.insert(HeaderName::from_static("x-lockstep-page-sha256"), hash);
    }
    response
}
