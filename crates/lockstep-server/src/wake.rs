//! Who wakes whom inside a process.
//!
//! Loops hang on a counter, waiting requests and streams on the watermarks themselves. Both are
//! values, not flags: whoever looked before looking at the database can't miss what comes in between.
//! One task asks the database on behalf of everybody, so a thousand idle waiters cost no query.

use std::time::Duration;

use lockstep_core::announce::Watermarks;
use lockstep_store::listen::{Wake, listen};
use lockstep_store::{StoreError, watermarks};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// NOTIFY wakes, polling guarantees.
const POLL: Duration = Duration::from_secs(5);

/// What waiters hang on.
#[derive(Default)]
pub struct Wakes {
    /// Something was committed, or the state of a purge or a look changed: loops look.
    pub work: watch::Sender<u64>,
    /// How far the index was when this process last asked; `None` before the first time.
    pub marks: watch::Sender<Option<Watermarks>>,
}

impl Wakes {
    /// There is something to do.
    pub fn work(&self) {
        self.work.send_modify(|count| *count += 1);
    }
}

/// Passes on what the database tells, from this and every other process, until shutdown.
pub async fn relay(app: App, shutdown: CancellationToken) {
    let (sender, mut wakes) = mpsc::channel(64);
    let listening = tokio::spawn(listen(app.store.clone(), sender));
    let mut poll = tokio::time::interval(POLL);
    loop {
        let wake = tokio::select! {
            wake = wakes.recv() => wake,
            _ = poll.tick() => Some(Wake::Announced),
            () = shutdown.cancelled() => None,
        };
        let Some(mut wake) = wake else { break };
        // A burst of wake-ups is answered by one look.
        while let Ok(more) = wakes.try_recv() {
            if more != Wake::Announced {
                wake = more;
            }
        }
        if wake != Wake::Announced {
            app.wakes.work();
            app.fresh.nudge();
        }
        if let Err(error) = look(&app).await {
            tracing::warn!(
                kind = error.kind(),
                "waiters are not told meanwhile: {error}"
            );
        }
    }
    listening.abort();
}

async fn look(app: &App) -> Result<(), StoreError> {
    let connection = app.store.connection().await?;
    let marks = watermarks::read(&connection).await?;
    app.wakes.marks.send_if_modified(|known| {
        let changed = *known != Some(marks);
        *known = Some(marks);
        changed
    });
    Ok(())
}
