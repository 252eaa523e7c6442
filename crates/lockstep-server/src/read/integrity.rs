//! `/integrity/{project}/{version}/{filename}/provenance` (PEP 740): what was attested of a file when it
//! was uploaded, and verified then.

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use lockstep_core::digest::Sha256;
use lockstep_core::filename::DistFilename;
use lockstep_core::name::NormalizedName;
use lockstep_core::plan::SurrogateKey;
use lockstep_core::version::Version;
use lockstep_store::provenances;

use super::answer::{is_known, not_found_yet, set_cdn_headers};
use super::{Named, moved, named};
use crate::app::App;
use crate::error::ApiError;

const JSON_V1: &str = "application/vnd.pypi.integrity.v1+json";

/// `GET /integrity/{project}/{version}/{filename}/provenance`
pub async fn provenance(
    State(app): State<App>,
    Path((project, version, filename)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let project = match named(Path(project)) {
        Named::Normalized(project) => project,
        Named::Otherwise(project) => {
            // Only characters that file names may have can come back in a header.
            let known = version.parse::<Version>().ok().zip(stored(&filename));
            return known.map_or_else(
                || not_found_yet(&[]),
                |(version, file)| {
                    let file = file.url_path();
                    moved(&format!("/integrity/{project}/{version}/{file}/provenance"))
                },
            );
        }
        Named::Impossible => return not_found_yet(&[]),
    };
    let keys = [SurrogateKey::project(&project)];
    let (Ok(version), Some(filename)) = (version.parse::<Version>(), stored(&filename)) else {
        return not_found_yet(&keys);
    };
    match find(&app, &project, &version, &filename).await {
        Ok(Some(document)) => answer(&app, &headers, &keys, document),
        Ok(None) => not_found_yet(&keys),
        Err(error) => error.into_response(),
    }
}

/// A file name that could be in the index.
fn stored(name: &str) -> Option<DistFilename> {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"._+!-".contains(&byte);
    (!name.is_empty() && name.bytes().all(safe)).then(|| DistFilename::from_stored(name.to_owned()))
}

async fn find(
    app: &App,
    project: &NormalizedName,
    version: &Version,
    filename: &DistFilename,
) -> Result<Option<String>, ApiError> {
    let connection = app.store.connection().await?;
    Ok(provenances::find(&connection, project, version, filename).await?)
}

/// It never changes, but goes when its file goes: the project's key purges it then.
fn answer(app: &App, request: &HeaderMap, keys: &[SurrogateKey], document: String) -> Response {
    let cache = &app.settings.cache;
    let etag = format!("\"{}\"", Sha256::of(document.as_bytes()));
    let mut response = if is_known(request, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        document.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON_V1));
    let values = [
        (ETAG, etag.as_str()),
        (CACHE_CONTROL, cache.clients.as_str()),
    ];
    for (name, value) in values {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    set_cdn_headers(headers, keys, &cache.edge);
    response
}
