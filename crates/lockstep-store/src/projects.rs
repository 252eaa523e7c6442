//! Projects: the row that serializes all changes of one project, and what its page is made of.

use jiff::Timestamp;
use lockstep_core::digest::Sha256;
use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_core::page::{FileEntry, ProjectState, index::IndexEntry};
use lockstep_core::serial::Serial;
use lockstep_core::status::{ProjectStatus, Reason};
use tokio_postgres::Row;

use crate::decode::{
    blake2b_256, filename, get, parsed, parsed_option, serial, sha256, sha256_option, size, yanked,
};
use crate::query::{
    self, Client, PROJECTS_AFTER, PROJECTS_BEHIND, PROJECTS_CHANGED_AFTER, PROJECTS_COUNT,
    PROJECTS_COUNT_BEHIND, PROJECTS_CREATE, PROJECTS_FILES, PROJECTS_LIST_AT, PROJECTS_LOCK,
    PROJECTS_SET_STATUS, PROJECTS_SNAPSHOT_AT, PROJECTS_STANDING, PROJECTS_STATE_AT,
};
use crate::{StoreError, Transaction};

/// A project whose row is locked by this transaction.
#[derive(Debug, Clone)]
pub struct LockedProject {
    /// Its row.
    pub id: i64,
    /// Its identity.
    pub normalized: NormalizedName,
    /// How it spells itself so far.
    pub display_name: ProjectName,
    /// Its status marker.
    pub status: ProjectStatus,
    /// Why.
    pub status_reason: Option<Reason>,
    /// False for a project that was just created, or was removed.
    pub exists: bool,
    /// Its last change; zero for one that was just created.
    pub last_serial: Serial,
    /// The database's clock, which all processes share.
    pub now: Timestamp,
}

/// Another project looks like this one; its name can't be taken.
pub const NAME_RESEMBLES: &str = "project_glance_key";

/// Locks the project's row, creating it for a new name. From here until the transaction ends
/// nobody else changes this project. [`StoreError::Conflict`] with [`NAME_RESEMBLES`] for a new
/// name that looks like another project's.
pub async fn lock_or_create(
    transaction: &Transaction<'_>,
    name: &ProjectName,
) -> Result<LockedProject, StoreError> {
    let normalized = name.normalized();
    query::execute(
        transaction,
        PROJECTS_CREATE,
        &[
            &normalized.as_str(),
            &name.as_str(),
            &normalized.at_a_glance().as_str(),
        ],
    )
    .await?;
    // Neither made nor there: the other constraint kept the row out.
    lock(transaction, &normalized)
        .await?
        .ok_or_else(|| StoreError::Conflict(NAME_RESEMBLES.to_owned()))
}

/// Locks the row of a project that is there or was; `None` for a name that was never used.
pub async fn lock(
    transaction: &Transaction<'_>,
    project: &NormalizedName,
) -> Result<Option<LockedProject>, StoreError> {
    let row = query::row(transaction, PROJECTS_LOCK, &[&project.as_str()]).await?;
    row.map(|row| {
        Ok(LockedProject {
            id: get(&row, "id")?,
            display_name: parsed(&row, "display_name")?,
            status: parsed(&row, "status")?,
            status_reason: parsed_option(&row, "status_reason")?,
            exists: get(&row, "exists")?,
            last_serial: serial(&row, "last_serial")?,
            now: get(&row, "now")?,
            normalized: project.clone(),
        })
    })
    .transpose()
}

/// Marks the project. It must be locked.
pub async fn set_status(
    transaction: &Transaction<'_>,
    project: i64,
    status: ProjectStatus,
    reason: Option<&Reason>,
) -> Result<(), StoreError> {
    let reason = reason.map(Reason::as_str);
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&project, &status.as_str(), &reason];
    query::execute(transaction, PROJECTS_SET_STATUS, &parameters).await?;
    Ok(())
}

/// What can be said of a name before anything is locked.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// There is a project of this name, and it was not removed.
    pub exists: bool,
    /// There never was, and another project looks like it.
    pub resembles: bool,
}

/// How a name stands.
pub async fn standing(client: &impl Client, name: &NormalizedName) -> Result<Standing, StoreError> {
    let glance = name.at_a_glance();
    let row = query::one(
        client,
        PROJECTS_STANDING,
        &[&name.as_str(), &glance.as_str()],
    )
    .await?;
    Ok(Standing {
        exists: get(&row, "exists")?,
        resembles: get(&row, "resembles")?,
    })
}

/// The project's files, in no particular order.
pub async fn files(client: &impl Client, project: i64) -> Result<Vec<FileEntry>, StoreError> {
    query::rows(client, PROJECTS_FILES, &[&project])
        .await?
        .iter()
        .map(entry)
        .collect()
}

fn entry(row: &Row) -> Result<FileEntry, StoreError> {
    Ok(FileEntry {
        filename: filename(row)?,
        version: parsed(row, "version")?,
        size: size(row, "size")?,
        sha256: sha256(row, "sha256")?,
        blake2b_256: blake2b_256(row, "blake2b_256")?,
        requires_python: parsed_option(row, "requires_python")?,
        yanked: yanked(row)?,
        metadata_sha256: sha256_option(row, "metadata_sha256")?,
        upload_time: get(row, "upload_time")?,
        provenance_url: get(row, "provenance_url")?,
    })
}

/// The list of projects as it was at `at`, sorted bytewise by normalized name: one snapshot.
pub async fn list_at(client: &impl Client, at: Serial) -> Result<Vec<IndexEntry>, StoreError> {
    let rows = query::rows(client, PROJECTS_LIST_AT, &[&at.to_column()]).await?;
    rows.iter()
        .map(|row| {
            Ok(IndexEntry {
                normalized: parsed(row, "normalized_name")?,
                name: parsed(row, "name")?,
                last_serial: serial(row, "serial")?,
            })
        })
        .collect()
}

/// A project as a snapshot tells it.
#[derive(Debug, Clone)]
pub struct SnapshotRow {
    /// Its identity.
    pub project: NormalizedName,
    /// Its last change in this snapshot.
    pub serial: Serial,
    /// Hashes of the HTML and JSON forms; `None` when it is gone.
    pub hashes: Option<(Sha256, Sha256)>,
    /// Hash of the content manifest.
    pub content_sha256: Sha256,
}

/// Up to `limit` projects after `after`, as they were visible at serial `at`. A snapshot never
/// changes, so it can be read in batches without a transaction around them.
pub async fn snapshot_at(
    client: &impl Client,
    at: Serial,
    after: Option<&NormalizedName>,
    limit: i64,
) -> Result<Vec<SnapshotRow>, StoreError> {
    let after = after.map_or("", NormalizedName::as_str);
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&at.to_column(), &after, &limit];
    let rows = query::rows(client, PROJECTS_SNAPSHOT_AT, &parameters).await?;
    rows.iter()
        .map(|row| {
            let html = sha256_option(row, "html_sha256")?;
            Ok(SnapshotRow {
                project: parsed(row, "normalized_name")?,
                serial: serial(row, "serial")?,
                hashes: html.zip(sha256_option(row, "json_sha256")?),
                content_sha256: sha256(row, "content_sha256")?,
            })
        })
        .collect()
}

/// A project as it was at some serial.
#[derive(Debug, Clone)]
pub struct StateAt {
    /// Its row.
    pub project: i64,
    /// How it spelled itself then.
    pub name: ProjectName,
    /// Its last change by then.
    pub serial: Serial,
    /// Hashes of the HTML and JSON forms; `None` when it was gone.
    pub hashes: Option<(Sha256, Sha256)>,
    /// Hash of the content manifest.
    pub content_sha256: Sha256,
    /// Hash of the files manifest.
    pub files_sha256: Sha256,
}

/// A project as it was visible at serial `at`; `None` when its name had not been used by then.
pub async fn state_at(
    client: &impl Client,
    project: &NormalizedName,
    at: Serial,
) -> Result<Option<StateAt>, StoreError> {
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
        [&project.as_str(), &at.to_column()];
    let row = query::row(client, PROJECTS_STATE_AT, &parameters).await?;
    row.map(|row| {
        let html = sha256_option(&row, "html_sha256")?;
        Ok(StateAt {
            project: get(&row, "id")?,
            name: parsed(&row, "name")?,
            serial: serial(&row, "serial")?,
            hashes: html.zip(sha256_option(&row, "json_sha256")?),
            content_sha256: sha256(&row, "content_sha256")?,
            files_sha256: sha256(&row, "files_sha256")?,
        })
    })
    .transpose()
}

/// A project as `fsck` walks over it.
#[derive(Debug, Clone)]
pub struct ProjectRow {
    /// Its row.
    pub id: i64,
    /// Its page's state, without the files.
    pub state: ProjectState,
    /// Its last change.
    pub last_serial: Serial,
    /// False when it was removed.
    pub exists: bool,
    /// What its current page hashes to.
    pub html_sha256: Option<Sha256>,
    /// Likewise, JSON.
    pub json_sha256: Option<Sha256>,
}

/// Up to `limit` projects after `after` (`None`: from the start), in bytewise order.
pub async fn after(
    client: &impl Client,
    after: Option<&NormalizedName>,
    limit: i64,
) -> Result<Vec<ProjectRow>, StoreError> {
    let after = after.map_or("", NormalizedName::as_str);
    let rows = query::rows(client, PROJECTS_AFTER, &[&after, &limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(ProjectRow {
                id: get(row, "id")?,
                state: ProjectState {
                    name: parsed(row, "normalized_name")?,
                    status: parsed(row, "status")?,
                    status_reason: parsed_option(row, "status_reason")?,
                    files: Vec::new(),
                },
                last_serial: serial(row, "last_serial")?,
                exists: get(row, "exists")?,
                html_sha256: sha256_option(row, "html_sha256")?,
                json_sha256: sha256_option(row, "json_sha256")?,
            })
        })
        .collect()
}

/// Projects whose last change is after the serial `after`, removed ones included, with that change.
pub async fn changed_after(
    client: &impl Client,
    after: Serial,
) -> Result<Vec<(NormalizedName, Serial)>, StoreError> {
    let rows = query::rows(client, PROJECTS_CHANGED_AFTER, &[&after.to_column()]).await?;
    rows.iter()
        .map(|row| {
            let last = serial(row, "last_serial")?;
            Ok((parsed(row, "normalized_name")?, last))
        })
        .collect()
}

/// How many projects there are, removed ones included.
pub async fn count(client: &impl Client) -> Result<u64, StoreError> {
    size(&query::one(client, PROJECTS_COUNT, &[]).await?, "projects")
}

/// Notes that there is, or was, a project of this name; one that is known stays as it is.
pub async fn note(client: &impl Client, name: &ProjectName) -> Result<(), StoreError> {
    let normalized = name.normalized();
    // It may look like another project: what is to be told of is noted all the same.
    let glance: Option<&str> = None;
    let names: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&normalized.as_str(), &name.as_str(), &glance];
    query::execute(client, PROJECTS_CREATE, &names).await?;
    Ok(())
}

/// Up to `limit` projects after `after` that the changelog has not spoken of since `serial`, removed
/// ones included, in bytewise order.
pub async fn behind(
    client: &impl Client,
    serial: Serial,
    after: Option<&NormalizedName>,
    limit: i64,
) -> Result<Vec<NormalizedName>, StoreError> {
    let after = after.map_or("", NormalizedName::as_str);
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&serial.to_column(), &limit, &after];
    let rows = query::rows(client, PROJECTS_BEHIND, &parameters).await?;
    rows.iter()
        .map(|row| parsed(row, "normalized_name"))
        .collect()
}

/// How many projects the changelog has not spoken of since `serial`.
pub async fn count_behind(client: &impl Client, serial: Serial) -> Result<u64, StoreError> {
    let row = query::one(client, PROJECTS_COUNT_BEHIND, &[&serial.to_column()]).await?;
    size(&row, "projects")
}
