//! Stage 3, **purge**: every CDN is told twice to forget the old page, until it has said yes twice.
//!
//! Why twice: a fill that began before the commit may end after the first purge, and an edge may
//! refill from a shield that was not purged yet. Why hard: a soft purge shows the old page once more
//! (docs/adr/0004). A crash at any point repeats a purge and loses none: claims are leases.

use std::time::Duration;

use lockstep_cdn::{PurgeError, Retry, backoff};
use lockstep_core::plan::SurrogateKey;
use lockstep_store::outbox::{self, ClaimedPurge};
use lockstep_store::{StoreError, targets};
use rand::Rng as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::announce;
use crate::app::{App, Cdn};
use crate::fault;

/// Longer than a call can take, so that a lease runs out only when its process is gone; and short, as
/// the announcement waits for it after a kill.
const LEASE: Duration = Duration::from_secs(30);
/// How long the loop sleeps at most: NOTIFY wakes it, polling guarantees it.
const POLL: Duration = Duration::from_secs(5);
/// How long to wait when somebody must act first, such as renewing a token.
const ALARM_PAUSE: Duration = Duration::from_secs(60);

/// Purges one CDN until shutdown.
pub async fn run(app: App, cdn: Cdn, shutdown: CancellationToken) {
    let mut work = app.wakes.work.subscribe();
    // Whose the claims are: this loop's alone, so that giving them back disturbs nobody.
    let owner = Uuid::new_v4();
    while !shutdown.is_cancelled() {
        // Marked as seen before looking: what comes while we look wakes us again.
        work.mark_unchanged();
        let pause = match round(&app, &cdn, owner).await {
            Ok(Progress::Purged) => continue,
            Ok(Progress::Nothing { next_due }) => next_due.map_or(POLL, |due| due.min(POLL)),
            Err(error) => {
                tracing::warn!(
                    cdn = cdn.target.name(),
                    kind = error.kind(),
                    stage = "purge",
                    "purging pauses: {error}"
                );
                give_back(&app, owner).await;
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            _ = work.changed() => {}
            () = tokio::time::sleep(pause) => {}
            () = shutdown.cancelled() => {}
        }
    }
    give_back(&app, owner).await;
}

/// Nobody shall have to wait for this loop's leases to run out. If it can't be done, they do.
async fn give_back(app: &App, owner: Uuid) {
    if let Ok(connection) = app.store.connection().await {
        let _ = outbox::release(&connection, owner).await;
    }
}

/// What a round found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Something was due; there may be more.
    Purged,
    /// Nothing is due now.
    Nothing {
        /// When something will be.
        next_due: Option<Duration>,
    },
}

/// Claims what is due, calls the CDN with no transaction open, records what it said.
pub async fn round(app: &App, cdn: &Cdn, owner: Uuid) -> Result<Progress, StoreError> {
    let (name, limit) = (cdn.target.name(), cdn.target.max_keys());
    let connection = app.store.connection().await?;
    let claimed = outbox::claim(&connection, name, limit, owner, LEASE).await?;
    if claimed.is_empty() {
        return Ok(Progress::Nothing {
            next_due: outbox::next_due(&connection, name).await?,
        });
    }
    drop(connection);
    fault::point("purge.claimed")?;
    for batch in batches(claimed, limit) {
        let said = cdn.target.purge(&batch.keys).await;
        // The CDN may have purged by now even if the call failed, or we die here: it is repeated.
        fault::point("purge.called")?;
        record(app, cdn, owner, &batch, said).await?;
        fault::point("purge.recorded")?;
    }
    announce::round(app).await?;
    Ok(Progress::Purged)
}

/// One call's worth of claims.
struct Batch {
    keys: Vec<String>,
    purges: Vec<ClaimedPurge>,
}

/// Rows of one key share a call's key; no call carries more than `limit` keys.
fn batches(claimed: Vec<ClaimedPurge>, limit: usize) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for purge in claimed {
        let fits = |batch: &Batch| {
            let new = purge
                .keys
                .iter()
                .filter(|key| !contains(batch, key))
                .count();
            batch.keys.len() + new <= limit
        };
        if !batches.last().is_some_and(fits) {
            batches.push(Batch {
                keys: Vec::new(),
                purges: Vec::new(),
            });
        }
        if let Some(batch) = batches.last_mut() {
            for key in &purge.keys {
                if !contains(batch, key) {
                    batch.keys.push(key.to_string());
                }
            }
            batch.purges.push(purge);
        }
    }
    batches
}

fn contains(batch: &Batch, key: &SurrogateKey) -> bool {
    batch.keys.iter().any(|there| there == key.as_str())
}

async fn record(
    app: &App,
    cdn: &Cdn,
    owner: Uuid,
    batch: &Batch,
    said: Result<lockstep_cdn::Receipt, PurgeError>,
) -> Result<(), StoreError> {
    let name = cdn.target.name();
    let rows: Vec<i64> = batch.purges.iter().map(|purge| purge.outbox).collect();
    let connection = app.store.connection().await?;
    match said {
        Ok(_) => {
            app.metrics.purged_keys.inc_by(batch.keys.len() as u64);
            let second = cdn.settings.second_pass_after();
            outbox::acknowledge(&connection, name, &rows, owner, second).await?;
            targets::record_success(&connection, name).await?;
            for purge in &batch.purges {
                tracing::debug!(
                    cdn = name,
                    serial = purge.serial.get(),
                    pass = purge.pass,
                    stage = "purge",
                    "purge acknowledged"
                );
            }
            Ok(())
        }
        Err(error) => {
            app.metrics.purge_failures.inc();
            // The most tried row decides: a CDN that is down is down for all of them.
            let attempts = batch
                .purges
                .iter()
                .map(|purge| purge.attempts)
                .max()
                .unwrap_or(0);
            let pause = pause(&error, u32::try_from(attempts).unwrap_or(0));
            tell(name, &error, attempts, pause);
            let text = error.to_string();
            outbox::fail(&connection, name, &rows, owner, pause, &text).await?;
            targets::record_failure(&connection, name, &text).await
        }
    }
}

fn pause(error: &PurgeError, attempts: u32) -> Duration {
    match error.retry() {
        Retry::After(wait) => wait,
        Retry::Backoff => backoff(attempts, rand::rng().random_range(0.0..1.0)),
        Retry::Alarm => ALARM_PAUSE,
    }
}

fn tell(cdn: &str, error: &PurgeError, attempts: i32, pause: Duration) {
    let seconds = pause.as_secs_f64();
    if error.retry() == Retry::Alarm {
        tracing::error!(
            cdn,
            kind = error.kind(),
            attempts,
            retry_in_s = seconds,
            stage = "purge",
            "the CDN refuses purges and somebody must act; nothing is announced meanwhile: {error}"
        );
    } else {
        tracing::warn!(
            cdn,
            kind = error.kind(),
            attempts,
            retry_in_s = seconds,
            stage = "purge",
            "purge failed, will be repeated: {error}"
        );
    }
}
