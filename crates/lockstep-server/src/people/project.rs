//! `/project/{project}/` and `/project/{project}/{version}/`.
//!
//! Fresh like the simple page: which serial is current is asked after the request came in, and the
//! page is a function of it, so it is rendered once a change and process.

mod view;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use lockstep_core::latest::rank;
use lockstep_core::name::NormalizedName;
use lockstep_core::plan::SurrogateKey;
use lockstep_core::serial::Serial;
use lockstep_core::status::ProjectStatus;
use lockstep_core::version::Version;
use lockstep_store::catalog::{self, About, Event, Listed};
use lockstep_store::files::{self, File};
use lockstep_store::{Transaction, begin_snapshot};

use super::{missing, project_page};
use crate::app::App;
use crate::error::ApiError;
use crate::read::cache::View;
use crate::read::{Named, moved, named};

/// Rows of the history that are shown.
const HISTORY: i64 = 50;

/// `GET /project/{project}/`
pub(super) async fn latest(
    State(app): State<App>,
    path: Path<String>,
    headers: HeaderMap,
) -> Response {
    match named(path) {
        Named::Normalized(project) => respond(&app, &project, None, &headers).await,
        Named::Otherwise(project) => moved(&format!("/project/{project}/")),
        Named::Impossible => missing(&app, &[]),
    }
}

/// `GET /project/{project}`: the slash belongs there.
pub(super) async fn without_slash(State(app): State<App>, path: Path<String>) -> Response {
    match named(path) {
        Named::Normalized(project) | Named::Otherwise(project) => {
            moved(&format!("/project/{project}/"))
        }
        Named::Impossible => missing(&app, &[]),
    }
}

/// `GET /project/{project}/{version}/`
pub(super) async fn release(
    State(app): State<App>,
    Path((project, text)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let Ok(version) = text.parse::<Version>() else {
        return missing(&app, &[]);
    };
    match named(Path(project)) {
        Named::Normalized(project) if version.as_str() == text => {
            respond(&app, &project, Some(&version), &headers).await
        }
        Named::Normalized(project) | Named::Otherwise(project) => {
            moved(&format!("/project/{project}/{version}/"))
        }
        Named::Impossible => missing(&app, &[]),
    }
}

/// `GET /project/{project}/{version}`: the slash belongs there.
pub(super) async fn release_without_slash(
    State(app): State<App>,
    Path((project, version)): Path<(String, String)>,
) -> Response {
    match (named(Path(project)), version.parse::<Version>()) {
        (Named::Normalized(project) | Named::Otherwise(project), Ok(version)) => {
            moved(&format!("/project/{project}/{version}/"))
        }
        _ => missing(&app, &[]),
    }
}

/// Whatever else is asked for below `/project/`.
pub(super) async fn nothing(State(app): State<App>) -> Response {
    missing(&app, &[])
}

async fn respond(
    app: &App,
    project: &NormalizedName,
    version: Option<&Version>,
    headers: &HeaderMap,
) -> Response {
    match answer(app, project, version, headers).await {
        Ok(Some(response)) => response,
        Ok(None) => missing(app, &[SurrogateKey::project(project)]),
        Err(error) => error.into_plain_response(),
    }
}

async fn answer(
    app: &App,
    project: &NormalizedName,
    version: Option<&Version>,
    headers: &HeaderMap,
) -> Result<Option<Response>, ApiError> {
    let mut connection = app.store.connection().await?;
    let Some(about) = catalog::about(&connection, project).await? else {
        return Ok(None);
    };
    let view = |serial: Serial| View {
        what: format!(
            "people {project} {}",
            version.map(Version::canonical).unwrap_or_default()
        ),
        serial: serial.get(),
    };
    let mut serial = about.serial;
    let text = if let Some(text) = app.pages.view(&view(serial)).await {
        text
    } else {
        let snapshot = begin_snapshot(&mut connection).await?;
        let Some(shown) = shown(&snapshot, project, version).await? else {
            return Ok(None);
        };
        drop(snapshot);
        drop(connection);
        serial = shown.about.serial;
        let html = rendered_off_thread(app, project.clone(), shown).await?;
        app.pages.put_view(view(serial), html.into()).await
    };
    let key = SurrogateKey::project(project);
    Ok(Some(project_page(app, headers, serial, key, &text).await))
}

/// All that a page shows, from one snapshot.
struct Shown {
    about: About,
    /// What is shown of releases; `None` for a project without any, and in quarantine.
    release: Option<Release>,
    history: Vec<Event>,
}

struct Release {
    /// The one that is shown.
    this: Listed,
    metadata: lockstep_core::metadata::CoreMetadata,
    /// Its files.
    files: Vec<File>,
    /// All of the project's, newest first.
    all: Vec<Listed>,
    /// Which of them is the latest.
    latest: Version,
    /// Whether it was asked for by its version.
    asked_for: bool,
}

async fn shown(
    snapshot: &Transaction<'_>,
    project: &NormalizedName,
    version: Option<&Version>,
) -> Result<Option<Shown>, ApiError> {
    let Some(about) = catalog::about(snapshot, project).await? else {
        return Ok(None);
    };
    let history = catalog::history(snapshot, about.id, about.serial, HISTORY).await?;
    let quarantined = about.status == ProjectStatus::Quarantined;
    let mut all = catalog::versions(snapshot, about.id).await?;
    all.sort_by(|a, b| b.version.cmp(&a.version));
    let latest = all
        .iter()
        .max_by_key(|it| rank(&it.version, it.yanked.is_yanked()));
    let this = match version {
        None => latest,
        Some(version) => all.iter().find(|it| it.version.is_same_release_as(version)),
    };
    if version.is_some() && this.is_none() && !quarantined {
        return Ok(None);
    }
    let (this, latest) = (this.cloned(), latest.map(|it| it.version.clone()));
    let release = match (this, latest) {
        (Some(this), Some(latest)) if !quarantined => {
            let files = files::of_project(snapshot, about.id).await?;
            Some(Release {
                metadata: catalog::metadata(snapshot, this.id).await?,
                files: files
                    .into_iter()
                    .filter(|it| it.release == this.id)
                    .collect(),
                asked_for: version.is_some(),
                this,
                all,
                latest,
            })
        }
        _ => None,
    };
    Ok(Some(Shown {
        about,
        release,
        history,
    }))
}

/// A long readme takes milliseconds; other requests must not wait for it.
async fn rendered_off_thread(
    app: &App,
    project: NormalizedName,
    shown: Shown,
) -> Result<Vec<u8>, ApiError> {
    let (settings, identity) = (app.settings.clone(), app.identity.clone());
    let render = move || view::render(&settings, &identity.links, &project, &shown);
    tokio::task::spawn_blocking(render)
        .await
        .map_err(ApiError::internal)?
}
