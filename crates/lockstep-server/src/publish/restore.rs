//! After a restore from an older backup: every project is told anew, beyond the serials that were lost.
//!
//! A mirror, or an edge, may hold what a lost serial said of a project, and compares serials: it never
//! asks for an older one. So each project gets a row, a page and a purge at a new serial, as by any
//! change. Not here: the lost serials themselves (`cli/advance_serial.rs`).
//!
//! Which projects are still to be told is read off their last serials. So this can be cut off anywhere,
//! run again, and run beside itself.

use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::ProgressBar;
use lockstep_core::change::Change;
use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_core::page::FileLinks;
use lockstep_core::serial::Serial;
use lockstep_store::changelog::{self, Event};
use lockstep_store::projects;
use lockstep_store::{Store, begin, identity};

use super::commit::record::record;

/// Projects read at a time, and how many of them are told at once.
const BATCH: i64 = 500;
const AT_ONCE: usize = 4;

/// How many projects nobody was told of since the last lost serial. While there are any, mirrors could
/// keep what was lost for ever.
pub async fn left(store: &Store) -> anyhow::Result<u64> {
    let connection = store.connection().await?;
    let lost = changelog::last_lost(&connection).await?;
    if lost == Serial::ZERO {
        return Ok(0);
    }
    Ok(projects::count_behind(&connection, lost).await?)
}

/// Tells every project that is left anew, a transaction each.
pub async fn tell_all_anew(store: &Store, bar: &ProgressBar) -> anyhow::Result<()> {
    let connection = store.connection().await?;
    let lost = changelog::last_lost(&connection).await?;
    let links = identity::read(&connection).await?.links;
    drop(connection);
    let mut last: Option<NormalizedName> = None;
    loop {
        let connection = store.connection().await?;
        let batch = projects::behind(&connection, lost, last.as_ref(), BATCH).await?;
        drop(connection);
        let Some(end) = batch.last() else {
            return Ok(());
        };
        last = Some(end.clone());
        stream::iter(batch)
            .map(async |project| {
                tell_anew(store, &links, &project, lost)
                    .await
                    .with_context(|| format!("`{project}` can't be told anew; run this again"))?;
                bar.inc(1);
                anyhow::Ok(())
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
    }
}

/// One project: the same locks in the same order as any change. Of a project that is not there (any
/// more) the row says that.
async fn tell_anew(
    store: &Store,
    links: &FileLinks,
    name: &NormalizedName,
    lost: Serial,
) -> anyhow::Result<()> {
    let mut connection = store.connection().await?;
    let transaction = begin(&mut connection).await?;
    let spelling: ProjectName = name.as_str().parse()?;
    let project = projects::lock_or_create(&transaction, &spelling).await?;
    if project.last_serial > lost {
        return Ok(()); // somebody was faster
    }
    let told = Event {
        change: Change::Restored,
        added: Vec::new(),
        removed: Vec::new(),
    };
    record(transaction, &project, &project.display_name, &[told], links).await?;
    Ok(())
}
