//! The budget of Fastly's edge check: how many calls may still be made this hour, by any process.

use lockstep_core::digest::Sha256;
use lockstep_core::name::NormalizedName;
use lockstep_core::serial::Serial;

use crate::StoreError;
use crate::decode::{serial, sha256};
use crate::query::{self, CHANGELOG_PAGES_OF_PROJECT, Client, EDGE_CHECKS_TAKE};

/// Takes the right to make one call, if at least `there` of them are there. What was taken is used up,
/// whatever becomes of the caller.
pub async fn take(client: &impl Client, there: u8) -> Result<bool, StoreError> {
    let row = query::row(client, EDGE_CHECKS_TAKE, &[&f64::from(there)]).await?;
    Ok(row.is_some())
}

/// The last `limit` HTML pages that a project has shown, newest first: their serials and hashes.
pub async fn pages_of(
    client: &impl Client,
    project: &NormalizedName,
    limit: i64,
) -> Result<Vec<(Serial, Sha256)>, StoreError> {
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&project.as_str(), &limit];
    let rows = query::rows(client, CHANGELOG_PAGES_OF_PROJECT, &parameters).await?;
    rows.iter()
        .map(|row| Ok((serial(row, "serial")?, sha256(row, "html_sha256")?)))
        .collect()
}
