//! The second half of stage 2, the same for an upload and for an operator's order: the rows are
//! changed, and now the page is made from them, numbered, and committed with the duty to purge.
//!
//! Not here: which rows a change touches. Invariant: the project's row is locked by the caller; the
//! serial's row is locked here, last and short.

use lockstep_core::change::Change;
use lockstep_core::digest::Sha256;
use lockstep_core::name::ProjectName;
use lockstep_core::page::{Draft, FileLinks, ProjectState, render};
use lockstep_core::plan::keys_to_purge;
use lockstep_core::serial::Serial;
use lockstep_core::status::ProjectStatus;
use lockstep_store::changelog::{self, Entry, EntryPage, Event, PageRef};
use lockstep_store::projects::{self, LockedProject};
use lockstep_store::{StoreError, Transaction, states};

use crate::error::ApiError;
use crate::fault;

/// What a project shows from a serial on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recorded {
    /// The last serial of the change.
    pub serial: Serial,
    /// The page; `None` when the project is gone.
    pub page: Option<PageRef>,
}

/// What the project shows already, for a change that would change nothing.
pub(crate) async fn unchanged(
    transaction: &Transaction<'_>,
    project: &LockedProject,
) -> Result<Recorded, StoreError> {
    let serial = project.last_serial;
    let row = changelog::row(transaction, serial).await?;
    let row = row.ok_or_else(|| StoreError::Corrupt("projects.last_serial".to_owned()))?;
    Ok(Recorded {
        serial,
        page: row.page,
    })
}

/// Makes the change exist: `project` as it is from now on, spelled `name`, after `events`.
///
/// An error may be "failed but happened": the answer to COMMIT was lost.
pub(crate) async fn record(
    transaction: Transaction<'_>,
    project: &LockedProject,
    name: &ProjectName,
    events: &[Event],
    links: &FileLinks,
) -> Result<Recorded, ApiError> {
    fault::point("commit.rows")?;
    // The dear part, still without the serial: read all files back, render, hash, write the bytes.
    let gone = |event: &Event| match event.change {
        Change::RemoveProject => true,
        Change::Restored => !project.exists,
        _ => false,
    };
    let shown = if events.iter().any(gone) {
        None
    } else {
        Some(show(&transaction, project, links).await?)
    };
    fault::point("commit.rendered")?;

    // Lock 2: from here to the end every other change of the index waits. Constant time only.
    let serial = changelog::take_serials(&transaction, events.len()).await?;
    fault::point("commit.serials")?;
    let page = shown.as_ref().map(|(draft, state)| EntryPage {
        state: *state,
        html: draft.html.seal(serial),
        json: draft.json.seal(serial),
    });
    let sealed = page.as_ref().map(|page| PageRef {
        serial,
        html: page.html,
        json: page.json,
    });
    let nothing = Sha256::of(b"");
    let draft = shown.as_ref().map(|(draft, _)| draft);
    changelog::append(
        &transaction,
        &Entry {
            project: project.id,
            name,
            events,
            last_serial: serial,
            page,
            content_sha256: draft.map_or(nothing, |draft| draft.content_sha256),
            files_sha256: draft.map_or(nothing, |draft| draft.files_sha256),
            files_count: draft.map_or(0, |draft| draft.files_count),
            listed: draft.is_some() && project.status != ProjectStatus::Quarantined,
            keys: &keys_to_purge(&project.normalized),
        },
    )
    .await?;
    fault::point("commit.appended")?;
    lockstep_store::commit(transaction).await?;

    // From here on it exists, and it will be purged, verified and announced, whatever becomes of
    // this process: the outbox row was part of the commit.
    fault::point("commit.committed")?;
    Ok(Recorded {
        serial,
        page: sealed,
    })
}

/// Renders the project from its rows and keeps the bytes; returns the draft and its row.
async fn show(
    transaction: &Transaction<'_>,
    project: &LockedProject,
    links: &FileLinks,
) -> Result<(Draft, i64), ApiError> {
    let state = ProjectState {
        name: project.normalized.clone(),
        status: project.status,
        status_reason: project.status_reason.clone(),
        files: projects::files(transaction, project.id).await?,
    };
    let draft = render_off_thread(state, links).await?;
    let row = states::create(transaction, &draft).await?;
    Ok((draft, row))
}

/// Rendering a project of thousands of files takes milliseconds; other requests must not wait.
async fn render_off_thread(state: ProjectState, links: &FileLinks) -> Result<Draft, ApiError> {
    let links = links.clone();
    tokio::task::spawn_blocking(move || render(state, &links))
        .await
        .map_err(ApiError::internal)
}
