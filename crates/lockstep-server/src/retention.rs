//! Retention: lets go of replaced pages, of outbox rows that are done, of blobs that nobody names.
//!
//! Small bounded rounds, by any process, beside any writer. Current pages and named files are never
//! touched. A blob is condemned first and deleted a day later; an upload of the same bytes pardons it.

use std::time::Duration;

use anyhow::Context as _;
use lockstep_store::{begin, commit, retention};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(600);
/// Between two walks over all blobs.
const BETWEEN_WALKS: Duration = Duration::from_secs(24 * 3600);
/// What one round lets go of at most, of each kind.
const LIMIT: i64 = 1000;

/// Collects until shutdown.
pub async fn run(app: App, shutdown: CancellationToken) {
    let mut walked: Option<Instant> = None;
    loop {
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = shutdown.cancelled() => return,
        }
        // Listing a bucket costs money, and an orphan does no harm.
        let walk = walked.is_none_or(|at| at.elapsed() > BETWEEN_WALKS);
        if walk {
            walked = Some(Instant::now());
        }
        match round(&app, walk).await {
            Ok(collected) => tracing::info!(
                states = collected.states,
                outbox = collected.outbox,
                blobs = collected.blobs,
                "collected"
            ),
            Err(error) => tracing::warn!("collecting pauses: {error:#}"),
        }
    }
}

/// What a round has let go of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Replaced states, with their pages.
    pub states: u64,
    /// Outbox rows that were done.
    pub outbox: u64,
    /// Orphan blobs.
    pub blobs: u64,
}

/// One bounded round; `walk`: over all blobs, to find orphans.
pub async fn round(app: &App, walk: bool) -> anyhow::Result<Collected> {
    let connection = app.store.connection().await?;
    let states = retention::collect_states(&connection, app.settings.retention, LIMIT).await?;
    let outbox = retention::collect_outbox(&connection, LIMIT).await?;
    drop(connection);
    if walk {
        condemn(app).await?;
    }
    Ok(Collected {
        states,
        outbox,
        blobs: delete_condemned(app).await?,
    })
}

/// Walks over the blobs that are older than a day, in batches.
async fn condemn(app: &App) -> anyhow::Result<()> {
    let mut old = app.blobs.older_than_a_day();
    while let Some(batch) = old.next_batch().await? {
        let connection = app.store.connection().await?;
        let condemned = retention::condemn(&connection, &batch).await?;
        if condemned > 0 {
            tracing::info!(condemned, "blobs that no file names; deleted in a day");
        }
    }
    Ok(())
}

async fn delete_condemned(app: &App) -> anyhow::Result<u64> {
    let mut deleted = 0;
    for _ in 0..LIMIT {
        let mut connection = app.store.connection().await?;
        let transaction = begin(&mut connection).await?;
        // The row's lock is what an upload of the same bytes waits for.
        let Some(blob) = retention::due(&transaction).await? else {
            break;
        };
        if !retention::is_named(&transaction, &blob.0).await? {
            app.blobs
                .delete(&blob)
                .await
                .context("a condemned blob can't be deleted")?;
            deleted += 1;
        }
        retention::forget(&transaction, &blob).await?;
        // Killed before this commit: the blob is gone and still condemned; deleting it again is
        // harmless, and an upload that waited writes its bytes anew.
        commit(transaction).await?;
    }
    Ok(deleted)
}
