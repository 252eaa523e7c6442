//! Provenance of files (PEP 740): what was attested of them when they came.

use lockstep_core::filename::DistFilename;
use lockstep_core::name::NormalizedName;
use lockstep_core::version::Version;

use crate::decode::get;
use crate::query::{self, Client, PROVENANCES_CREATE, PROVENANCES_FIND};
use crate::{StoreError, Transaction};

/// Keeps a file's provenance object, as it is to be served. It goes when the file goes.
pub async fn create(
    transaction: &Transaction<'_>,
    filename: &DistFilename,
    document: &str,
) -> Result<(), StoreError> {
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
        [&filename.as_str(), &document];
    query::execute(transaction, PROVENANCES_CREATE, &parameters).await?;
    Ok(())
}

/// The provenance object of a file of this release, if it came with any.
pub async fn find(
    client: &impl Client,
    project: &NormalizedName,
    version: &Version,
    filename: &DistFilename,
) -> Result<Option<String>, StoreError> {
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&filename.as_str(), &project.as_str(), &version.canonical()];
    let row = query::row(client, PROVENANCES_FIND, &parameters).await?;
    row.map(|row| get(&row, "document")).transpose()
}
