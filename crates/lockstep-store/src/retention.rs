//! What may be let go: replaced states after the retention time, outbox rows that are done, blobs that
//! no file names. Each call is bounded, and safe beside any writer.

use std::time::Duration;

use lockstep_core::digest::Blake2b256;

use crate::decode::{blake2b_256, get};
use crate::query::{
    self, BLOBS_CONDEMN, BLOBS_DUE, BLOBS_FORGET, BLOBS_NAMED, BLOBS_PARDON, Client,
    OUTBOX_COLLECT, STATES_COLLECT,
};
use crate::{StoreError, Transaction};

/// Lets go of up to `limit` states (with their pages) replaced longer ago than `retention`; returns
/// how many there were.
pub async fn collect_states(
    client: &impl Client,
    retention: Duration,
    limit: i64,
) -> Result<u64, StoreError> {
    query::execute(client, STATES_COLLECT, &[&retention.as_secs_f64(), &limit]).await
}

/// Lets go of up to `limit` outbox rows that were done a week ago; returns how many there were.
pub async fn collect_outbox(client: &impl Client, limit: i64) -> Result<u64, StoreError> {
    query::execute(client, OUTBOX_COLLECT, &[&limit]).await
}

/// A blob as the blob store lists it: its digest and its file's name there.
pub type BlobName = (Blake2b256, String);

/// Condemns those of `blobs` that no file names; returns how many were new.
pub async fn condemn(client: &impl Client, blobs: &[BlobName]) -> Result<u64, StoreError> {
    let digests: Vec<&[u8]> = blobs.iter().map(|(digest, _)| digest.as_bytes()).collect();
    let names: Vec<&str> = blobs.iter().map(|(_, name)| name.as_str()).collect();
    query::execute(client, BLOBS_CONDEMN, &[&digests, &names]).await
}

/// An upload of these bytes is under way. Called before the bytes are written: a deletion that runs
/// is waited for, and one that has not begun will not begin.
pub async fn pardon(client: &impl Client, digest: &Blake2b256) -> Result<(), StoreError> {
    query::execute(client, BLOBS_PARDON, &[&digest.as_bytes()]).await?;
    Ok(())
}

/// A blob whose day has come, locked until the transaction ends; `None`: there is none.
pub async fn due(transaction: &Transaction<'_>) -> Result<Option<BlobName>, StoreError> {
    let row = query::row(transaction, BLOBS_DUE, &[]).await?;
    row.map(|row| Ok((blake2b_256(&row, "blake2b_256")?, get(&row, "name")?)))
        .transpose()
}

/// Whether a file names these bytes after all.
pub async fn is_named(client: &impl Client, digest: &Blake2b256) -> Result<bool, StoreError> {
    get(
        &query::one(client, BLOBS_NAMED, &[&digest.as_bytes()]).await?,
        "named",
    )
}

/// Takes a blob off the list.
pub async fn forget(
    transaction: &Transaction<'_>,
    (digest, name): &BlobName,
) -> Result<(), StoreError> {
    query::execute(transaction, BLOBS_FORGET, &[&digest.as_bytes(), name]).await?;
    Ok(())
}
