//! Feeds (RSS 2.0): `/rss/updates.xml`, `/rss/packages.xml`, `/rss/project/{project}/releases.xml`.
//!
//! The first two are snapshots at the announced serial, like the list of projects; the third is fresh,
//! like a project's page. Not for mirrors: a feed forgets, the changelog does not.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use lockstep_core::plan::SurrogateKey;
use lockstep_core::serial::Serial;
use lockstep_store::catalog::{self, New};
use lockstep_store::watermarks;
use rss::{Channel, Guid, Item};

use super::answer::{self, Meta};
use super::cache::View;
use super::{Named, moved, named};
use crate::app::App;
use crate::error::ApiError;

const RSS: &str = "application/rss+xml; charset=UTF-8";

/// An older one is complete, never wrong.
const WHOLE_INDEX_AT_EDGE: &str = "max-age=60, stale-if-error=86400";

/// Entries, as in the public index.
const UPDATES: i64 = 100;
const PACKAGES: i64 = 40;
const RELEASES: i64 = 40;

/// `GET /rss/updates.xml`
pub async fn updates(State(app): State<App>, headers: HeaderMap) -> Response {
    whole_index(&app, &headers, Feed::Updates).await
}

/// `GET /rss/packages.xml`
pub async fn packages(State(app): State<App>, headers: HeaderMap) -> Response {
    whole_index(&app, &headers, Feed::Packages).await
}

/// `GET /rss/project/{project}/releases.xml`
pub async fn project(State(app): State<App>, path: Path<String>, headers: HeaderMap) -> Response {
    match named(path) {
        Named::Normalized(project) => {
            let key = SurrogateKey::project(&project);
            match of_project(&app, &headers, &project).await {
                Ok(Some(response)) => response,
                Ok(None) => answer::not_found_yet(&[key]),
                Err(error) => error.into_plain_response(),
            }
        }
        Named::Otherwise(project) => moved(&format!("/rss/project/{project}/releases.xml")),
        Named::Impossible => ApiError::not_found("404 Not Found").into_plain_response(),
    }
}

#[derive(Debug, Clone, Copy)]
enum Feed {
    Updates,
    Packages,
}

async fn whole_index(app: &App, headers: &HeaderMap, feed: Feed) -> Response {
    match at_announced(app, headers, feed).await {
        Ok(response) => response,
        Err(error) => error.into_plain_response(),
    }
}

async fn at_announced(app: &App, headers: &HeaderMap, feed: Feed) -> Result<Response, ApiError> {
    let connection = app.store.connection().await?;
    let announced = watermarks::read(&connection).await?.announced;
    let view = View {
        what: format!("feed {feed:?}"),
        serial: announced.get(),
    };
    let text = if let Some(text) = app.pages.view(&view).await {
        text
    } else {
        let (title, news) = match feed {
            Feed::Updates => {
                let news = catalog::new_releases(&connection, announced, UPDATES).await?;
                ("New releases", news)
            }
            Feed::Packages => {
                let news = catalog::new_projects(&connection, announced, PACKAGES).await?;
                ("New projects", news)
            }
        };
        let xml = xml(&app.settings.public_url, "/", title, &news)?;
        app.pages.put_view(view, xml.into()).await
    };
    drop(connection);
    let keys = [SurrogateKey::simple_index()];
    let mut meta = Meta::page(announced, text.sha256, RSS, &keys, &app.settings.cache);
    meta.edge = WHOLE_INDEX_AT_EDGE;
    meta.vary = "Accept-Encoding";
    match answer::not_modified(headers, &meta) {
        Some(response) => Ok(response),
        None => Ok(answer::full(headers, &meta, &text).await),
    }
}

async fn of_project(
    app: &App,
    headers: &HeaderMap,
    project: &lockstep_core::name::NormalizedName,
) -> Result<Option<Response>, ApiError> {
    use lockstep_core::status::ProjectStatus::Quarantined;
    let connection = app.store.connection().await?;
    let about = catalog::about(&connection, project).await?;
    let Some(about) = about.filter(|it| it.status != Quarantined) else {
        return Ok(None);
    };
    let view = |serial: Serial| View {
        what: format!("feed {project}"),
        serial: serial.get(),
    };
    let text = if let Some(text) = app.pages.view(&view(about.serial)).await {
        text
    } else {
        let (id, at) = (about.id, about.serial);
        let news = catalog::releases_of_project(&connection, id, at, RELEASES).await?;
        let title = format!("Releases of {}", about.name);
        let page = format!("/project/{project}/");
        let xml = xml(&app.settings.public_url, &page, &title, &news)?;
        app.pages.put_view(view(at), xml.into()).await
    };
    drop(connection);
    let keys = [SurrogateKey::project(project)];
    let mut meta = Meta::page(about.serial, text.sha256, RSS, &keys, &app.settings.cache);
    meta.vary = "Accept-Encoding";
    Ok(Some(match answer::not_modified(headers, &meta) {
        Some(response) => response,
        None => answer::full(headers, &meta, &text).await,
    }))
}

fn xml(public_url: &str, path: &str, title: &str, news: &[New]) -> Result<Vec<u8>, ApiError> {
    let host = public_url
        .split_once("://")
        .map_or(public_url, |(_, host)| host);
    let items = news.iter().map(|new| item(public_url, new)).collect();
    let channel = Channel {
        title: format!("{title} – {host}"),
        link: format!("{public_url}{path}"),
        description: format!("{title} on the package index {host}"),
        language: Some("en".to_owned()),
        items,
        ..Channel::default()
    };
    let bytes = channel.pretty_write_to(Vec::new(), b' ', 2);
    let mut bytes = bytes.map_err(ApiError::internal)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn item(public_url: &str, new: &New) -> Item {
    let (name, project) = (&new.name, &new.project);
    let (title, path) = match &new.version {
        Some(version) => (format!("{name} {version}"), format!("{project}/{version}/")),
        None => (name.to_string(), format!("{project}/")),
    };
    let link = format!("{public_url}/project/{path}");
    // These two are no characters of XML; all other such ones are no part of metadata.
    let summary = new
        .summary
        .as_deref()
        .map(|text| text.replace(['\u{fffe}', '\u{ffff}'], ""));
    Item {
        title: Some(title),
        guid: Some(Guid {
            value: link.clone(),
            permalink: true,
        }),
        link: Some(link),
        description: summary,
        pub_date: Some(date(new.at)),
        ..Item::default()
    }
}

/// As RSS wants it (RFC 2822).
fn date(at: Timestamp) -> String {
    rfc2822::to_string(&at.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default()
}
