//! The looks that probes owe: claimed under a lease, seen or put off, never lost.

use std::time::Duration;

use lockstep_core::digest::Sha256;
use lockstep_core::name::NormalizedName;
use lockstep_core::serial::Serial;
use uuid::Uuid;

use crate::decode::{get, parsed, serial, serial_option, sha256_option};
use crate::query::{
    self, CHANGELOG_PAGE_AT, Client, PROBES_FORGET, PROBES_RECORD_FAILURE, PROBES_RECORD_SEEN,
    PROBES_REGISTER, VERIFICATIONS_CLAIM, VERIFICATIONS_NEXT_DUE, VERIFICATIONS_PUT_OFF,
    VERIFICATIONS_RELEASE, VERIFICATIONS_SEEN,
};
use crate::{StoreError, Transaction};

/// A probe as all processes agree on it.
#[derive(Debug, Clone)]
pub struct ProbeRow {
    /// Its name in the settings.
    pub name: String,
    /// Its kind in the settings.
    pub kind: &'static str,
    /// How long after the last purge a look makes sense.
    pub wait: Duration,
}

/// Makes `probes` the probes of this index; returns the names of those that no longer are.
pub async fn establish(
    transaction: &Transaction<'_>,
    probes: &[ProbeRow],
) -> Result<Vec<String>, StoreError> {
    let names: Vec<&str> = probes.iter().map(|probe| probe.name.as_str()).collect();
    let kinds: Vec<&str> = probes.iter().map(|probe| probe.kind).collect();
    let waits: Vec<f64> = probes
        .iter()
        .map(|probe| probe.wait.as_secs_f64())
        .collect();
    query::execute(transaction, PROBES_REGISTER, &[&names, &kinds, &waits]).await?;
    let forgotten = query::rows(transaction, PROBES_FORGET, &[&names]).await?;
    forgotten.iter().map(|row| get(row, "name")).collect()
}

/// A look that this process has taken on.
#[derive(Debug, Clone)]
pub struct ClaimedLook {
    /// The outbox row.
    pub outbox: i64,
    /// Looks before that found an old page.
    pub stale: i32,
    /// Looks in a row that found nothing at all.
    pub attempts: i32,
    /// The last serial of the transaction.
    pub serial: Serial,
    /// Whose page.
    pub project: NormalizedName,
    /// What the HTML and JSON forms must hash to; `None` when the project must be gone.
    pub hashes: Option<(Sha256, Sha256)>,
}

/// Takes up to `limit` due looks of one probe for `lease`; other processes skip them meanwhile.
pub async fn claim(
    client: &impl Client,
    probe: &str,
    limit: usize,
    owner: Uuid,
    lease: Duration,
) -> Result<Vec<ClaimedLook>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&probe, &limit, &owner, &lease.as_secs_f64()];
    let rows = query::rows(client, VERIFICATIONS_CLAIM, &parameters).await?;
    rows.iter()
        .map(|row| {
            let there = serial_option(row, "page_serial")?;
            let html = sha256_option(row, "html_sha256")?;
            let json = sha256_option(row, "json_sha256")?;
            Ok(ClaimedLook {
                outbox: get(row, "outbox_id")?,
                stale: get(row, "stale")?,
                attempts: get(row, "attempts")?,
                serial: serial(row, "last_serial")?,
                project: parsed(row, "normalized_name")?,
                hashes: there.and(html.zip(json)),
            })
        })
        .collect()
}

/// The hashes of the page that `project` had at its own serial `at`; `None`: it never had one.
pub async fn page_at(
    client: &impl Client,
    project: &NormalizedName,
    at: Serial,
) -> Result<Option<(Sha256, Sha256)>, StoreError> {
    let row = query::row(
        client,
        CHANGELOG_PAGE_AT,
        &[&project.as_str(), &at.to_column()],
    )
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(sha256_option(&row, "html_sha256")?.zip(sha256_option(&row, "json_sha256")?))
}

/// The probe has served these pages or newer ones.
pub async fn seen(
    client: &impl Client,
    probe: &str,
    outbox: &[i64],
    owner: Uuid,
) -> Result<(), StoreError> {
    query::execute(client, VERIFICATIONS_SEEN, &[&probe, &outbox, &owner]).await?;
    query::execute(client, PROBES_RECORD_SEEN, &[&probe]).await?;
    Ok(())
}

/// Why a look is put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutOff {
    /// An old page was served; it is purged again.
    Stale,
    /// Nothing that could be judged was served.
    Nothing,
}

/// Look again after `retry_after`.
pub async fn put_off(
    client: &impl Client,
    probe: &str,
    outbox: i64,
    owner: Uuid,
    (why, retry_after): (PutOff, Duration),
    error: &str,
) -> Result<(), StoreError> {
    let (seconds, stale) = (retry_after.as_secs_f64(), why == PutOff::Stale);
    let rows = vec![outbox];
    query::execute(
        client,
        VERIFICATIONS_PUT_OFF,
        &[&probe, &rows, &owner, &seconds, &error, &stale],
    )
    .await?;
    query::execute(client, PROBES_RECORD_FAILURE, &[&probe, &error]).await?;
    Ok(())
}

/// Gives all leases of this process back.
pub async fn release(client: &impl Client, owner: Uuid) -> Result<(), StoreError> {
    query::execute(client, VERIFICATIONS_RELEASE, &[&owner]).await?;
    Ok(())
}

/// When the next look of a probe falls due; `None` when it owes none.
pub async fn next_due(client: &impl Client, probe: &str) -> Result<Option<Duration>, StoreError> {
    let row = query::one(client, VERIFICATIONS_NEXT_DUE, &[&probe]).await?;
    let seconds: Option<f64> = get(&row, "seconds")?;
    Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default()))
}
