//! Stage 5, **announce**: one row moves forward, and mirrors may know.
//!
//! A round is idempotent and may be run by any process at any time: after every acknowledgement, at
//! every wake-up, by polling, and so after a crash. It can only ever move forward, and never past a
//! row whose purge is open (with `after = "commit"`: it does not look at purges).

use lockstep_core::announce::{AnnounceAfter, Watermarks, advance};
use lockstep_core::serial::Serial;
use lockstep_store::{StoreError, announcements, outbox, watermarks};
use tokio_util::sync::CancellationToken;

use super::rounds::{Progress, Stage, turn};
use crate::app::{App, older_backup};
use crate::fault;

/// Announces until shutdown.
pub async fn run(app: App, shutdown: CancellationToken) {
    turn(Announcing, &app, &shutdown).await;
}

struct Announcing;

impl Stage for Announcing {
    const NAME: &'static str = "announce";

    fn who(&self) -> &'static str {
        ""
    }

    async fn round(&self, app: &App) -> Result<Progress, StoreError> {
        round(app).await?;
        Ok(Progress::Nothing { next_due: None })
    }

    /// It claims nothing: a round is one short look.
    async fn give_back(&self, _: &App) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Settles what is purged, and moves the watermarks as far as they may go. Returns the announced
/// serial.
pub async fn round(app: &App) -> Result<Serial, StoreError> {
    let connection = app.store.connection().await?;
    if outbox::settle(&connection).await? {
        // The loops of the probes: nobody else tells them that looks are owed now.
        app.wakes.work();
    }
    let announce = &app.settings.announce;
    let progress = watermarks::progress(&connection, announce.max_wait).await?;
    stop_if_older(app, progress.stored).await?;
    let moved = advance(progress.stored, progress.open, announce.after);
    if moved != progress.stored {
        // Only where there is something to lose: an idle round passes no point.
        fault::point("announce.settled")?;
        note_outside(app, moved).await?;
        // Another process may move them at the same time; the statement takes the greater.
        watermarks::advance(&connection, moved).await?;
        fault::point("announce.advanced")?;
        // Mirrors may have seen it already: now the time is right.
        announcements::note(&connection).await?;
        tracing::info!(
            serial = moved.announced.get(),
            committed = moved.committed.get(),
            stage = "announce",
            "announced"
        );
        tell_if_forced(app, moved);
    }
    Ok(moved.announced)
}

/// Before anybody is told of a serial it is noted outside the database: should the database be lost and
/// an older backup be restored, `serve` refuses to give those serials out again. One small object a
/// round, however many serials it covers.
async fn note_outside(app: &App, moved: Watermarks) -> Result<(), StoreError> {
    let mut noted = app.high_water.lock().await;
    if moved.announced > *noted {
        app.blobs
            .raise_high_water(moved.committed)
            .await
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        *noted = moved.committed;
    }
    Ok(())
}

/// An older backup was put in place under this running process: it would give announced serials out
/// again. The process ends; the next start judges, and says what to do.
async fn stop_if_older(app: &App, stored: Watermarks) -> Result<(), StoreError> {
    let noted = *app.high_water.lock().await;
    if stored.committed < noted {
        app.stop_because(older_backup(stored.committed, noted));
        return Err(StoreError::Corrupt("serials.value".to_owned()));
    }
    Ok(())
}

/// With `max_wait`, mirrors may be told of what is not known to be true at the edge: never silently.
fn tell_if_forced(app: &App, moved: Watermarks) {
    let proved = match app.settings.announce.after {
        AnnounceAfter::Commit => return,
        AnnounceAfter::Purge => moved.purged,
        AnnounceAfter::Verify => moved.verified,
    };
    if moved.announced > proved {
        app.metrics.forced_announcements.inc();
        tracing::warn!(
            serial = moved.announced.get(),
            proved = proved.get(),
            stage = "announce",
            "announced after max_wait, although not every CDN and probe is past it"
        );
    }
}
