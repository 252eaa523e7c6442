//! Who wakes whom inside a process: loops and waiting requests hang on two counters.
//!
//! A counter, not a flag: whoever looked at it before looking at the database can't miss a wake-up
//! that comes in between.

use lockstep_store::listen::{Wake, listen};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// The two counters.
#[derive(Default)]
pub struct Wakes {
    /// Something was committed, or a purge's state changed: loops look.
    pub work: watch::Sender<u64>,
    /// A watermark may have moved: whoever waits for news looks.
    pub news: watch::Sender<u64>,
}

impl Wakes {
    /// There is something to do.
    pub fn work(&self) {
        self.work.send_modify(|count| *count += 1);
    }

    /// There may be something new to tell.
    pub fn news(&self) {
        self.news.send_modify(|count| *count += 1);
    }
}

/// Passes on what the database tells, from this and every other process, until shutdown.
pub async fn relay(app: App, shutdown: CancellationToken) {
    let (sender, mut wakes) = mpsc::channel(64);
    let listening = tokio::spawn(listen(app.store.clone(), sender));
    loop {
        let wake = tokio::select! {
            wake = wakes.recv() => wake,
            () = shutdown.cancelled() => None,
        };
        match wake {
            Some(Wake::Committed) => {
                app.wakes.work();
                // With `horizon=committed` a commit itself is news.
                app.wakes.news();
            }
            Some(Wake::Announced) => app.wakes.news(),
            Some(Wake::Reconnected) => {
                app.wakes.work();
                app.wakes.news();
            }
            None => break,
        }
    }
    listening.abort();
}
