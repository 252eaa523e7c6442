//! All routes in one place.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::{ACCEPT, ALLOW, IF_NONE_MATCH, RANGE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post, put};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{Any, CorsLayer};
use tower_http::trace::TraceLayer;

use crate::app::App;
use crate::error::ApiError;
use crate::guard::guard;
use crate::manage::api;
use crate::read::{
    changelog, events, feeds, files, health, integrity, json, moved, openapi, pages, serversig,
    simple, snapshot, xmlrpc,
};
use crate::{metrics, people, publish};

/// The index's routes; `read/openapi.json` describes them.
pub(crate) fn router(app: App) -> Router {
    let public = Router::new()
        .route("/simple", get(async || moved("/simple/")))
        .route("/simple/", get(simple::list))
        .route("/simple/{project}", get(simple::without_slash))
        .route("/simple/{project}/", get(simple::project))
        .route("/serversig/{project}", get(serversig::without_slash))
        .route("/serversig/{project}/", get(serversig::project))
        .route("/pages/sha256/{hex}", get(pages::by_hash))
        .route("/packages/{a}/{b}/{rest}/{name}", get(files::file))
        .route(
            "/integrity/{project}/{version}/{filename}/provenance",
            get(integrity::provenance),
        )
        .route("/pypi/{project}/json", get(json::project))
        .route("/pypi/{project}/json/", get(json::project))
        .route("/pypi/{project}/{version}/json", get(json::release))
        .route("/pypi/{project}/{version}/json/", get(json::release))
        .route("/changelog", get(changelog::without_slash))
        .route("/changelog/", get(changelog::since))
        .route("/changelog/events", get(events::events))
        .route("/changelog/segments/{n}", get(snapshot::segment))
        .route("/snapshot/", get(snapshot::latest))
        .route("/snapshot/{serial}", get(snapshot::at))
        .route("/changelog/state", get(changelog::state))
        .route("/changelog/{serial}", get(changelog::row))
        .route("/changelog/{serial}/files", get(changelog::files))
        .route("/changelog/{serial}/content", get(changelog::content))
        .route("/rss/updates.xml", get(feeds::updates))
        .route("/rss/packages.xml", get(feeds::packages))
        .route("/rss/project/{project}/releases.xml", get(feeds::project))
        .route("/api/openapi.json", get(openapi::document))
        .layer(cors())
        .layer(from_fn(tell_allowed));
    let managed = Router::new()
        .route("/api/projects/{project}", delete(api::remove_project))
        .route("/api/projects/{project}/status", put(api::status))
        .route(
            "/api/projects/{project}/files/{filename}",
            delete(api::remove_file),
        )
        .route(
            "/api/projects/{project}/releases/{version}",
            delete(api::remove_release),
        )
        .route(
            "/api/projects/{project}/releases/{version}/yank",
            post(api::yank),
        )
        .route(
            "/api/projects/{project}/releases/{version}/unyank",
            post(api::unyank),
        )
        .layer(DefaultBodyLimit::max(app.settings.limits.longest_body()));
    Router::new()
        .merge(public)
        .merge(managed)
        .merge(people::router())
        .route("/pypi", post(xmlrpc::call).fallback(xmlrpc::only_post))
        .route("/pypi/", post(xmlrpc::call).fallback(xmlrpc::only_post))
        .route("/RPC2", post(xmlrpc::call).fallback(xmlrpc::only_post))
        .route("/legacy/", post(publish::legacy))
        .route(
            "/legacy",
            post(async || {
                let to = [(axum::http::header::LOCATION, "/legacy/")];
                (StatusCode::PERMANENT_REDIRECT, to).into_response()
            }),
        )
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .fallback(async || ApiError::not_found("404 Not Found").into_plain_response())
        .layer(CatchPanicLayer::new())
        // Failures are logged where they become answers, once.
        .layer(TraceLayer::new_for_http().on_failure(()))
        .layer(from_fn_with_state(app.clone(), guard))
        .with_state(app)
}

/// Says what may be done here to who asks (OPTIONS), and to who did something else (405).
async fn tell_allowed(request: Request, next: Next) -> Response {
    let asked = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    if asked || response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let allowed = HeaderValue::from_static("GET, HEAD, OPTIONS");
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// Any page may read the index from a browser; the headers that tell old from new are exposed.
fn cors() -> CorsLayer {
    let exposed = [
        "x-pypi-last-serial",
        "etag",
        "unencoded-digest",
        "repr-digest",
    ];
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::OPTIONS])
        .allow_headers([
            ACCEPT,
            IF_NONE_MATCH,
            RANGE,
            HeaderName::from_static("x-min-serial"),
        ])
        .expose_headers(exposed.map(HeaderName::from_static))
        // The answer is the same for every origin, so it must not vary by it.
        .vary([])
}
