//! `/packages/…`: files and the `.metadata` beside them, by digest; immutable, with ranges.
//!
//! Never compressed: installers check the hash of the very bytes.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE,
    RANGE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use lockstep_core::digest::Blake2b256;
use lockstep_core::filename::DistFilename;
use object_store::GetRange;

use super::pages::immutable;
use crate::app::App;
use crate::blobs::{BlobError, Part, Reading};
use crate::error::ApiError;

/// `GET /packages/{b2[0:2]}/{b2[2:4]}/{b2 rest}/{filename}`
pub async fn file(
    State(app): State<App>,
    Path((a, b, rest, name)): Path<(String, String, String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    match answer(&app, [&a, &b, &rest], &name, &method, &headers).await {
        Ok(response) => response,
        Err(error) => error.into_plain_response(),
    }
}

async fn answer(
    app: &App,
    address: [&str; 3],
    name: &str,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let unknown = || ApiError::not_found("404 Not Found");
    let well_formed = address[0].len() == 2
        && address[1].len() == 2
        && address
            .iter()
            .all(|part| part.bytes().all(|byte| !byte.is_ascii_uppercase()));
    let digest: Blake2b256 = address
        .concat()
        .parse()
        .ok()
        .filter(|_| well_formed)
        .ok_or_else(unknown)?;
    let (name, part) = match name.strip_suffix(".metadata") {
        Some(name) => (name, Part::Metadata),
        None => (name, Part::File),
    };
    // Whatever was stored passed the file name rules, so nothing else can be there.
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"._+!-".contains(&byte);
    if name.is_empty() || !name.bytes().all(safe) {
        return Err(unknown());
    }
    let filename = DistFilename::from_stored(name.to_owned());
    let etag = format!(
        "\"{digest}{}\"",
        if part == Part::Metadata {
            "-metadata"
        } else {
            ""
        }
    );
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    if known.is_some_and(|tags| tags.split(',').any(|tag| is_same(tag, &etag))) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        common(&mut response, &etag);
        return Ok(response);
    }
    let range = if method == Method::HEAD {
        None
    } else {
        requested_range(headers, &etag)
    };
    let partial = range.is_some();
    match app.blobs.read(&digest, &filename, part, range).await {
        Ok(reading) => Ok(respond(reading, partial, method, part, &etag)),
        Err(BlobError::NotFound) => Err(unknown()),
        Err(error) if partial => unsatisfiable(app, &digest, &filename, part, error).await,
        Err(error) => Err(unreadable(error)),
    }
}

/// A cache that recompressed the answer may have made its tag a weak one; here that counts as the same.
fn is_same(tag: &str, etag: &str) -> bool {
    tag.trim().trim_start_matches("W/") == etag
}

fn unreadable(error: BlobError) -> ApiError {
    ApiError::unavailable("storage", "The file can't be read right now.").because(error)
}

fn respond(reading: Reading, partial: bool, method: &Method, part: Part, etag: &str) -> Response {
    let length = reading.range.end - reading.range.start;
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        Body::from_stream(reading.stream)
    };
    let mut response = body.into_response();
    common(&mut response, etag);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(match part {
            Part::File => "application/octet-stream",
            Part::Metadata => "text/plain; charset=utf-8",
        }),
    );
    if partial {
        let last = reading.range.end.saturating_sub(1);
        let shown = format!("bytes {}-{last}/{}", reading.range.start, reading.size);
        if let Ok(value) = HeaderValue::try_from(shown) {
            headers.insert(CONTENT_RANGE, value);
        }
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

fn common(response: &mut Response, etag: &str) {
    immutable(response);
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Ok(value) = HeaderValue::try_from(etag) {
        headers.insert(ETAG, value);
    }
}

/// One range (RFC 9110 §14.2). Several, another unit or nonsense: the whole file, which is allowed.
fn requested_range(headers: &HeaderMap, etag: &str) -> Option<GetRange> {
    if headers
        .get(IF_RANGE)
        .is_some_and(|tag| tag.as_bytes() != etag.as_bytes())
    {
        return None;
    }
    let text = headers.get(RANGE)?.to_str().ok()?.strip_prefix("bytes=")?;
    let (first, last) = text.split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", suffix) => suffix.parse().ok().map(|length| match length {
            // The last zero bytes can't be sent, and so are a range beyond the end.
            0 => GetRange::Offset(u64::MAX),
            length => GetRange::Suffix(length),
        }),
        (first, "") => first.parse().ok().map(GetRange::Offset),
        (first, last) => {
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then(|| GetRange::Bounded(first..last.saturating_add(1)))
        }
    }
}

/// Was it the range, or the store? A range beyond the end is 416 with the true length.
async fn unsatisfiable(
    app: &App,
    digest: &Blake2b256,
    filename: &DistFilename,
    part: Part,
    error: BlobError,
) -> Result<Response, ApiError> {
    let Ok(whole) = app.blobs.read(digest, filename, part, None).await else {
        return Err(unreadable(error));
    };
    let length = format!("bytes */{}", whole.size);
    Ok((StatusCode::RANGE_NOT_SATISFIABLE, [(CONTENT_RANGE, length)]).into_response())
}
