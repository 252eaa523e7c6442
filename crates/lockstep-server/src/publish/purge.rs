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
use super::rounds::{Progress, Stage, turn};
use crate::app::{App, Cdn};
use crate::fault;

/// Longer than a call can take, so that a lease runs out only when its process is gone; and short, as
/// the announcement waits for it after a kill.
const LEASE: Duration = Duration::from_secs(30);
/// How long to wait when somebody must act first, such as renewing a token.
const ALARM_PAUSE: Duration = Duration::from_secs(60);

/// Purges one CDN until shutdown.
pub async fn run(app: App, cdn: Cdn, shutdown: CancellationToken) {
    // Whose the claims are: this loop's alone, so that giving them back disturbs nobody.
    let owner = Uuid::new_v4();
    turn(Purging { cdn, owner }, &app, &shutdown).await;
}

struct Purging {
    cdn: Cdn,
    owner: Uuid,
}

impl Stage for Purging {
    const NAME: &'static str = "purge";

    fn who(&self) -> &str {
        self.cdn.target.name()
    }

    async fn round(&self, app: &App) -> Result<Progress, StoreError> {
        round(app, &self.cdn, self.owner).await
    }

    async fn give_back(&self, app: &App) -> Result<(), StoreError> {
        outbox::release(&app.store.connection().await?, self.owner).await
    }
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
    Ok(Progress::Some)
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
