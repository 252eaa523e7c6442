//! What feeds and pages for people are made of.
//!
//! Not what installers and mirrors read: nothing here is hashed or announced. Whatever speaks of the
//! whole index takes the serial at which it is to be true.

use jiff::Timestamp;
use lockstep_core::digest::Sha256;
use lockstep_core::metadata::CoreMetadata;
use lockstep_core::name::{NamePrefix, NormalizedName, ProjectName};
use lockstep_core::serial::Serial;
use lockstep_core::status::{ProjectStatus, Reason, Yanked};
use lockstep_core::version::Version;
use tokio_postgres::Row;

use crate::StoreError;
use crate::decode::{get, parsed, parsed_option, serial, sha256, sha256_option, size, yanked};
use crate::query::{
    self, CATALOG_ABOUT, CATALOG_HISTORY, CATALOG_METADATA, CATALOG_NEW_PROJECTS,
    CATALOG_NEW_RELEASES, CATALOG_RELEASES_OF_PROJECT, CATALOG_SEARCH, CATALOG_SIZE,
    CATALOG_VERSIONS, Client, Query,
};

/// Something that came into being: a release, or a project where there is no version.
#[derive(Debug, Clone)]
pub struct New {
    /// The row that says so.
    pub serial: Serial,
    /// When.
    pub at: Timestamp,
    /// The project.
    pub project: NormalizedName,
    /// How it spelled itself then.
    pub name: ProjectName,
    /// The release.
    pub version: Option<Version>,
    /// Its one line.
    pub summary: Option<String>,
}

/// The newest `limit` releases at serial `at`, newest first.
pub async fn new_releases(
    client: &impl Client,
    at: Serial,
    limit: i64,
) -> Result<Vec<New>, StoreError> {
    news(client, CATALOG_NEW_RELEASES, at, limit).await
}

/// The newest `limit` projects at serial `at`, newest first.
pub async fn new_projects(
    client: &impl Client,
    at: Serial,
    limit: i64,
) -> Result<Vec<New>, StoreError> {
    news(client, CATALOG_NEW_PROJECTS, at, limit).await
}

async fn news(
    client: &impl Client,
    query: Query,
    at: Serial,
    limit: i64,
) -> Result<Vec<New>, StoreError> {
    let rows = query::rows(client, query, &[&at.to_column(), &limit]).await?;
    rows.iter().map(new).collect()
}

/// The newest `limit` releases of a project as of its serial `at`, newest first.
pub async fn releases_of_project(
    client: &impl Client,
    project: i64,
    at: Serial,
    limit: i64,
) -> Result<Vec<New>, StoreError> {
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&project, &at.to_column(), &limit];
    let rows = query::rows(client, CATALOG_RELEASES_OF_PROJECT, &parameters).await?;
    rows.iter().map(new).collect()
}

fn new(row: &Row) -> Result<New, StoreError> {
    Ok(New {
        serial: serial(row, "serial")?,
        at: get(row, "at")?,
        project: parsed(row, "normalized_name")?,
        name: parsed(row, "name")?,
        version: parsed_option(row, "version")?,
        summary: get(row, "summary")?,
    })
}

/// A project that a search found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The project.
    pub project: NormalizedName,
    /// How it spells itself.
    pub name: ProjectName,
    /// Its last change at the serial searched at.
    pub serial: Serial,
    /// When that was.
    pub at: Timestamp,
}

/// Up to `limit` projects that are listed at serial `at`, by name, after `after`.
pub async fn search(
    client: &impl Client,
    at: Serial,
    prefix: &NamePrefix,
    after: Option<&NormalizedName>,
    limit: i64,
) -> Result<Vec<Found>, StoreError> {
    let after = after.map_or("", NormalizedName::as_str);
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&at.to_column(), &prefix.as_str(), &after, &limit];
    let rows = query::rows(client, CATALOG_SEARCH, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Found {
                project: parsed(row, "normalized_name")?,
                name: parsed(row, "name")?,
                serial: serial(row, "serial")?,
                at: get(row, "at")?,
            })
        })
        .collect()
}

/// A project that is there.
#[derive(Debug, Clone)]
pub struct About {
    /// Its row.
    pub id: i64,
    /// How it spells itself.
    pub name: ProjectName,
    /// Its status marker.
    pub status: ProjectStatus,
    /// Why.
    pub status_reason: Option<Reason>,
    /// Its last change, which pins down all that can be shown of it.
    pub serial: Serial,
    /// What its simple page hashes to.
    pub html_sha256: Sha256,
}

/// A project as it is now; `None` when there is none of this name. Linearizable, as
/// [`crate::pages::current`].
pub async fn about(
    client: &impl Client,
    project: &NormalizedName,
) -> Result<Option<About>, StoreError> {
    let row = query::row(client, CATALOG_ABOUT, &[&project.as_str()]).await?;
    row.map(|row| {
        Ok(About {
            id: get(&row, "id")?,
            name: parsed(&row, "display_name")?,
            status: parsed(&row, "status")?,
            status_reason: parsed_option(&row, "status_reason")?,
            serial: serial(&row, "last_serial")?,
            html_sha256: sha256(&row, "html_sha256")?,
        })
    })
    .transpose()
}

/// A release without its metadata.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its row.
    pub id: i64,
    /// Its version.
    pub version: Version,
    /// Whether it is yanked.
    pub yanked: Yanked,
}

/// All releases of a project, in no particular order.
pub async fn versions(client: &impl Client, project: i64) -> Result<Vec<Listed>, StoreError> {
    let rows = query::rows(client, CATALOG_VERSIONS, &[&project]).await?;
    rows.iter()
        .map(|row| {
            Ok(Listed {
                id: get(row, "id")?,
                version: parsed(row, "version")?,
                yanked: yanked(row)?,
            })
        })
        .collect()
}

/// What a release says of itself.
pub async fn metadata(client: &impl Client, release: i64) -> Result<CoreMetadata, StoreError> {
    let row = query::one(client, CATALOG_METADATA, &[&release]).await?;
    let tokio_postgres::types::Json(metadata) = get(&row, "metadata")?;
    Ok(metadata)
}

/// A row of a project's history.
#[derive(Debug, Clone)]
pub struct Event {
    /// The row.
    pub serial: Serial,
    /// When it was committed.
    pub at: Timestamp,
    /// The release it is about.
    pub version: Option<String>,
    /// The public index's sentence.
    pub action: String,
    /// What the simple page hashed to from then on; `None` when the project was gone.
    pub html_sha256: Option<Sha256>,
}

/// The last `limit` changes of a project up to `at`, newest first.
pub async fn history(
    client: &impl Client,
    project: i64,
    at: Serial,
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&project, &at.to_column(), &limit];
    let rows = query::rows(client, CATALOG_HISTORY, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Event {
                serial: serial(row, "serial")?,
                at: get(row, "at")?,
                version: get(row, "version")?,
                action: get(row, "action")?,
                html_sha256: sha256_option(row, "html_sha256")?,
            })
        })
        .collect()
}

/// How big the index is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Projects that are listed.
    pub projects: u64,
    /// Files.
    pub files: u64,
    /// Whether one of them is an estimate.
    pub estimated: bool,
}

/// How big the index is now; cheap at any size.
pub async fn index_size(client: &impl Client) -> Result<Size, StoreError> {
    let row = query::one(client, CATALOG_SIZE, &[]).await?;
    Ok(Size {
        projects: size(&row, "projects")?,
        files: size(&row, "files")?,
        estimated: get(&row, "estimated")?,
    })
}
