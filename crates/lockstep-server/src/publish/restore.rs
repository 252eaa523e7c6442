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
use lockstep_core::digest::Sha256;
use lockstep_core::manifest::file_hashes;
use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_core::page::{Draft, FileLinks, ProjectState, render};
use lockstep_core::plan::keys_to_purge;
use lockstep_core::serial::Serial;
use lockstep_core::status::ProjectStatus;
use lockstep_store::changelog::{self, Entry, EntryPage};
use lockstep_store::projects::{self, LockedProject};
use lockstep_store::{Store, Transaction, begin, identity, pages, states};

use crate::fault;

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

/// One project: the same locks in the same order as any change (`commit.rs`).
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
    let current = pages::current(&transaction, name).await?;
    if current.is_some_and(|page| page.serial > lost) {
        return Ok(()); // somebody was faster
    }
    let draft = if project.exists {
        Some(draft(&transaction, links, &project).await?)
    } else {
        None
    };
    append(&transaction, &project, draft).await?;
    fault::point("restore.appended")?;
    lockstep_store::commit(transaction).await?;
    fault::point("restore.committed")?;
    Ok(())
}

/// The page as its rows make it, with its bytes kept.
async fn draft(
    transaction: &Transaction<'_>,
    links: &FileLinks,
    project: &LockedProject,
) -> anyhow::Result<(i64, Draft)> {
    let state = ProjectState {
        name: project.normalized.clone(),
        status: project.status,
        status_reason: project.status_reason.clone(),
        files: projects::files(transaction, project.id).await?,
    };
    let draft = render(state, links);
    Ok((states::create(transaction, &draft).await?, draft))
}

/// Row, page and the duty to purge. Of a project that is not there (any more) the row says that.
async fn append(
    transaction: &Transaction<'_>,
    project: &LockedProject,
    draft: Option<(i64, Draft)>,
) -> anyhow::Result<()> {
    let nothing = Sha256::of(b"");
    let serial = changelog::take_serials(transaction, 1).await?;
    let told = draft.as_ref().map(|(_, draft)| draft);
    let entry = Entry {
        project: project.id,
        name: &project.display_name,
        changes: &[(Change::Restored, file_hashes([]), file_hashes([]))],
        last_serial: serial,
        page: draft.as_ref().map(|(state, draft)| EntryPage {
            state: *state,
            html: draft.html.seal(serial),
            json: draft.json.seal(serial),
        }),
        content_sha256: told.map_or(nothing, |draft| draft.content_sha256),
        files_sha256: told.map_or(nothing, |draft| draft.files_sha256),
        files_count: told.map_or(0, |draft| draft.files_count),
        listed: project.exists && project.status != ProjectStatus::Quarantined,
        keys: &keys_to_purge(&project.normalized),
    };
    Ok(changelog::append(transaction, &entry).await?)
}
