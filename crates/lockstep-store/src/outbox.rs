//! The outbox: the duty to purge, claimed under a lease, acknowledged or put off, never lost.

use std::time::Duration;

use lockstep_core::plan::SurrogateKey;
use lockstep_core::serial::Serial;
use uuid::Uuid;

use crate::decode::{get, serial, size};
use crate::query::{
    self, Client, OUTBOX_BACKLOG, OUTBOX_OPEN, OUTBOX_QUEUE, OUTBOX_SETTLE_PURGED,
    OUTBOX_SETTLE_VERIFIED, PURGES_ACKNOWLEDGE, PURGES_CLAIM, PURGES_FAIL, PURGES_NEXT_DUE,
    PURGES_RELEASE, PURGES_REPEAT,
};
use crate::{StoreError, Transaction};

/// A purge that this process has taken on.
#[derive(Debug, Clone)]
pub struct ClaimedPurge {
    /// The outbox row.
    pub outbox: i64,
    /// 1 or 2.
    pub pass: i16,
    /// Failed tries of this pass so far.
    pub attempts: i32,
    /// What to purge.
    pub keys: Vec<SurrogateKey>,
    /// The last serial it is for.
    pub serial: Serial,
}

/// Takes up to `limit` due purges of one CDN for `lease`; other processes skip them meanwhile.
pub async fn claim(
    client: &impl Client,
    target: &str,
    limit: usize,
    owner: Uuid,
    lease: Duration,
) -> Result<Vec<ClaimedPurge>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = query::rows(
        client,
        PURGES_CLAIM,
        &[&target, &limit, &owner, &lease.as_secs_f64()],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let keys: Vec<String> = get(row, "keys")?;
            Ok(ClaimedPurge {
                outbox: get(row, "outbox_id")?,
                pass: get(row, "pass")?,
                attempts: get(row, "attempts")?,
                keys: keys.into_iter().map(SurrogateKey::from_stored).collect(),
                serial: serial(row, "last_serial")?,
            })
        })
        .collect()
}

/// The CDN said yes to these: pass 2 falls due after `second_pass_after`, or this CDN is done.
pub async fn acknowledge(
    client: &impl Client,
    target: &str,
    outbox: &[i64],
    owner: Uuid,
    second_pass_after: Duration,
) -> Result<(), StoreError> {
    let seconds = second_pass_after.as_secs_f64();
    query::execute(
        client,
        PURGES_ACKNOWLEDGE,
        &[&target, &outbox, &owner, &seconds],
    )
    .await?;
    Ok(())
}

/// The CDN did not say yes to these: again after `retry_after`.
pub async fn fail(
    client: &impl Client,
    target: &str,
    outbox: &[i64],
    owner: Uuid,
    retry_after: Duration,
    error: &str,
) -> Result<(), StoreError> {
    let seconds = retry_after.as_secs_f64();
    query::execute(
        client,
        PURGES_FAIL,
        &[&target, &outbox, &owner, &seconds, &error],
    )
    .await?;
    Ok(())
}

/// Queues a duty that no change brings: to purge `keys` again, which show a project's state at
/// `serial`, the last it has.
pub async fn queue(
    transaction: &Transaction<'_>,
    serial: Serial,
    keys: &[SurrogateKey],
) -> Result<(), StoreError> {
    let keys: Vec<&str> = keys.iter().map(SurrogateKey::as_str).collect();
    query::rows(transaction, OUTBOX_QUEUE, &[&serial.to_column(), &keys]).await?;
    Ok(())
}

/// Gives all leases of this process back.
pub async fn release(client: &impl Client, owner: Uuid) -> Result<(), StoreError> {
    query::execute(client, PURGES_RELEASE, &[&owner]).await?;
    Ok(())
}

/// When the next purge of a CDN falls due; `None` when it owes nothing.
pub async fn next_due(client: &impl Client, target: &str) -> Result<Option<Duration>, StoreError> {
    let seconds: Option<f64> = get(
        &query::one(client, PURGES_NEXT_DUE, &[&target]).await?,
        "seconds",
    )?;
    Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default()))
}

/// Marks as purged what no CDN owes an acknowledgement for, and as verified what no probe owes a look
/// at. Idempotent, and safe beside itself. Returns whether probes owe looks that they did not before.
pub async fn settle(client: &impl Client) -> Result<bool, StoreError> {
    let looks = query::execute(client, OUTBOX_SETTLE_PURGED, &[]).await?;
    query::execute(client, OUTBOX_SETTLE_VERIFIED, &[]).await?;
    Ok(looks > 0)
}

/// An old page was seen after all purges: one more pass at every CDN.
pub async fn repeat(client: &impl Client, outbox: &[i64]) -> Result<(), StoreError> {
    query::execute(client, PURGES_REPEAT, &[&outbox]).await?;
    Ok(())
}

/// What the stages have before them.
#[derive(Debug, Clone, Copy)]
pub struct Backlog {
    /// Transactions that some CDN has not acknowledged.
    pub unpurged: u64,
    /// Transactions that are purged, and that some probe has not seen.
    pub unverified: u64,
    /// Age of the oldest of them in seconds; 0 when there is none.
    pub oldest_seconds: f64,
}

/// What the stages have before them, for the metrics.
pub async fn backlog(client: &impl Client) -> Result<Backlog, StoreError> {
    let row = query::one(client, OUTBOX_BACKLOG, &[]).await?;
    Ok(Backlog {
        unpurged: size(&row, "unpurged")?,
        unverified: size(&row, "unverified")?,
        oldest_seconds: get(&row, "oldest_seconds")?,
    })
}

/// How many transactions are not purged and verified yet.
pub async fn open(client: &impl Client) -> Result<u64, StoreError> {
    size(&query::one(client, OUTBOX_OPEN, &[]).await?, "open")
}
