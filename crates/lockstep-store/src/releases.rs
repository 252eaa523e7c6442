//! Releases of a project.

use lockstep_core::metadata::CoreMetadata;
use lockstep_core::status::{Reason, Yanked};
use lockstep_core::version::Version;

use crate::decode::{get, parsed, yanked};
use crate::query::{
    self, Client, RELEASES_CREATE, RELEASES_FIND, RELEASES_OF_PROJECT, RELEASES_REMOVE,
    RELEASES_REMOVE_ALL, RELEASES_SET_YANKED,
};
use crate::{StoreError, Transaction};

/// A release's row, the spelling of its version, and whether it is yanked.
#[derive(Debug, Clone)]
pub struct ReleaseRow {
    /// Its row.
    pub id: i64,
    /// As its first file spelled it.
    pub version: Version,
    /// Whether it is yanked.
    pub yanked: Yanked,
}

/// The release with an equal version, where there is one. The project must be locked.
pub async fn find(
    transaction: &Transaction<'_>,
    project: i64,
    version: &Version,
) -> Result<Option<ReleaseRow>, StoreError> {
    let row = query::row(
        transaction,
        RELEASES_FIND,
        &[&project, &version.canonical()],
    )
    .await?;
    row.map(|row| {
        Ok(ReleaseRow {
            id: get(&row, "id")?,
            version: parsed(&row, "version")?,
            yanked: yanked(&row)?,
        })
    })
    .transpose()
}

/// Creates a release with its first file's metadata. The project must be locked.
pub async fn create(
    transaction: &Transaction<'_>,
    project: i64,
    version: &Version,
    metadata: &CoreMetadata,
) -> Result<ReleaseRow, StoreError> {
    let row = query::one(
        transaction,
        RELEASES_CREATE,
        &[
            &project,
            &version.to_string(),
            &version.canonical(),
            &tokio_postgres::types::Json(metadata),
        ],
    )
    .await?;
    Ok(ReleaseRow {
        id: get(&row, "id")?,
        version: version.clone(),
        yanked: Yanked::No,
    })
}

/// Yanks a release, or takes that back. The project must be locked.
pub async fn set_yanked(
    transaction: &Transaction<'_>,
    release: i64,
    yanked: &Yanked,
) -> Result<(), StoreError> {
    let is_yanked = yanked.is_yanked();
    let reason = yanked.reason().map(Reason::as_str);
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&release, &is_yanked, &reason];
    query::execute(transaction, RELEASES_SET_YANKED, &parameters).await?;
    Ok(())
}

/// Removes a release that has no files any more. The project must be locked.
pub async fn remove(transaction: &Transaction<'_>, release: i64) -> Result<(), StoreError> {
    query::execute(transaction, RELEASES_REMOVE, &[&release]).await?;
    Ok(())
}

/// Removes all releases of a project that has no files any more. The project must be locked.
pub async fn remove_all(transaction: &Transaction<'_>, project: i64) -> Result<(), StoreError> {
    query::execute(transaction, RELEASES_REMOVE_ALL, &[&project]).await?;
    Ok(())
}

/// A release with all that the legacy JSON API tells of it.
#[derive(Debug, Clone)]
pub struct Release {
    /// Its row.
    pub id: i64,
    /// Its version.
    pub version: Version,
    /// Core metadata of its first file.
    pub metadata: CoreMetadata,
    /// Whether it is yanked.
    pub yanked: Yanked,
}

/// All releases of a project, in no particular order.
pub async fn of_project(client: &impl Client, project: i64) -> Result<Vec<Release>, StoreError> {
    let rows = query::rows(client, RELEASES_OF_PROJECT, &[&project]).await?;
    rows.iter()
        .map(|row| {
            let tokio_postgres::types::Json(metadata) = get(row, "metadata")?;
            Ok(Release {
                id: get(row, "id")?,
                version: parsed(row, "version")?,
                metadata,
                yanked: yanked(row)?,
            })
        })
        .collect()
}
