//! How the loops of all stages turn: round after round, woken by NOTIFY, guaranteed by polling.
//!
//! Not here: what a stage does in a round. Invariant: a round that fails changes nothing about the
//! next one; it starts again from what the database says, as after a crash.

use std::time::Duration;

use lockstep_store::StoreError;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// How long a loop sleeps at most.
const POLL: Duration = Duration::from_secs(5);
/// How long it pauses when the database can't be asked.
const PAUSE: Duration = Duration::from_secs(1);

/// What a round found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Something was due; there may be more.
    Some,
    /// Nothing is due now.
    Nothing {
        /// When something will be, if that is known.
        next_due: Option<Duration>,
    },
}

/// A stage that a loop carries on: purge (one for each CDN), verify (one for each probe), announce.
pub(super) trait Stage: Sync {
    /// The stage's one word.
    const NAME: &'static str;

    /// Which CDN or probe, for the log.
    fn who(&self) -> &str;

    /// Does what is due. May be repeated at any time, and cut off at any point.
    fn round(&self, app: &App) -> impl Future<Output = Result<Progress, StoreError>> + Send;

    /// Gives back what it has claimed and not done, so that nobody has to wait for its leases to run
    /// out. If that can't be done, they do.
    fn give_back(&self, app: &App) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Turns until shutdown.
pub(super) async fn turn(stage: impl Stage, app: &App, shutdown: &CancellationToken) {
    let mut work = app.wakes.work.subscribe();
    while !shutdown.is_cancelled() {
        // Marked as seen before looking: what comes while we look wakes us again.
        work.mark_unchanged();
        let pause = match stage.round(app).await {
            Ok(Progress::Some) => continue,
            Ok(Progress::Nothing { next_due }) => next_due.map_or(POLL, |due| due.min(POLL)),
            Err(error) => {
                log_pause(&stage, &error);
                let _ = stage.give_back(app).await;
                PAUSE
            }
        };
        tokio::select! {
            _ = work.changed() => {}
            () = tokio::time::sleep(pause) => {}
            () = shutdown.cancelled() => {}
        }
    }
    let _ = stage.give_back(app).await;
}

fn log_pause<S: Stage>(stage: &S, error: &StoreError) {
    let (name, who) = (S::NAME, stage.who());
    tracing::warn!(
        stage = name,
        who,
        kind = error.kind(),
        "the stage pauses: {error}"
    );
}
