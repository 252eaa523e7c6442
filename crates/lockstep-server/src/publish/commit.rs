//! Stage 2, **commit**: one transaction makes an upload exist.
//!
//! Rows, the rendered page, its hash in the changelog, and the duty to purge: all of it or none of
//! it (promise P3). Two locks, always in this order:
//!
//! 1. the project's row, for the whole transaction: nobody else changes this project;
//! 2. the serial's row, last and short: serial order becomes commit order (P1), and what happens
//!    under it takes the same time for a project of one file and of ten thousand.
//!
//! Nothing but PostgreSQL is waited for in here.

use lockstep_core::change::Change;
use lockstep_core::digest::{Blake2b256, Sha256};
use lockstep_core::manifest::file_hashes;
use lockstep_core::page::{Draft, FileEntry, ProjectState, render};
use lockstep_core::plan::keys_to_purge;
use lockstep_core::serial::Serial;
use lockstep_core::status::ProjectStatus;
use lockstep_store::changelog::{self, Entry, EntryPage};
use lockstep_store::files::{self, BYTES_TAKEN, NAME_TAKEN, NewFile};
use lockstep_store::projects::{self, LockedProject, NAME_RESEMBLES};
use lockstep_store::{StoreError, Transaction, begin, pages, releases, states};
use serde_json::Value;

use super::admit;
use super::upload::Upload;
use crate::app::App;
use crate::error::ApiError;
use crate::fault;

/// What an upload led to.
#[derive(Debug, Clone, Copy)]
pub struct Committed {
    /// The last serial it was given, or for an identical re-upload the project's.
    pub serial: Serial,
    /// The HTML page's hash at that serial.
    pub html_sha256: Sha256,
    /// False for an identical re-upload, which changed nothing.
    pub new: bool,
}

/// Makes the upload exist, or finds that it already does.
///
/// An error may be "failed but happened" (the answer to COMMIT was lost). The client then sends the
/// same upload again, and is answered 200 by the branch for identical files.
pub(super) async fn commit(app: &App, upload: &Upload) -> Result<Committed, ApiError> {
    let mut connection = app.store.connection().await?;
    let transaction = begin(&mut connection).await?;

    // Lock 1: from here to the end nobody else changes this project.
    let project = projects::lock_or_create(&transaction, &upload.name)
        .await
        .map_err(|error| refused_by_constraint(error, upload))?;
    if let Some(there) = files::find(&transaction, &upload.filename).await? {
        return already_there(&transaction, &project, upload, there).await;
    }
    accepts_uploads(&project)?;

    let changes = insert_rows(&transaction, &project, upload)
        .await
        .map_err(|error| refused_by_constraint(error, upload))?;
    fault::point("commit.rows")?;

    // The dear part, still without the serial: read all files back, render, hash, write the bytes.
    let state = ProjectState {
        name: project.normalized.clone(),
        status: project.status,
        status_reason: project.status_reason.clone(),
        files: projects::files(&transaction, project.id).await?,
    };
    admit::check_files(&state.files, upload, app.settings.upload.max_project_size)?;
    let changes = with_files(changes, &state.files, upload);
    let draft = render_off_thread(state, app).await?;
    let state_row = states::create(&transaction, &draft).await?;
    fault::point("commit.rendered")?;

    // Lock 2: from here to the end every other change of the index waits. Constant time only.
    let serial = changelog::take_serials(&transaction, changes.len()).await?;
    fault::point("commit.serials")?;
    let (html, json) = (draft.html.seal(serial), draft.json.seal(serial));
    changelog::append(
        &transaction,
        &Entry {
            project: project.id,
            name: &upload.name,
            changes: &changes,
            last_serial: serial,
            page: Some(EntryPage {
                state: state_row,
                html,
                json,
            }),
            content_sha256: draft.content_sha256,
            files_sha256: draft.files_sha256,
            files_count: draft.files_count,
            listed: project.status != ProjectStatus::Quarantined,
            keys: &keys_to_purge(&project.normalized),
        },
    )
    .await?;
    fault::point("commit.appended")?;
    lockstep_store::commit(transaction).await?;

    // From here on it exists, and it will be purged, verified and announced, whatever becomes of
    // this process: the outbox row was part of the commit.
    fault::point("commit.committed")?;
    app.metrics.uploads.inc();
    app.wakes.work();
    Ok(Committed {
        serial,
        html_sha256: html.sha256,
        new: true,
    })
}

/// The same bytes under the same name change nothing; other bytes are refused.
async fn already_there(
    transaction: &Transaction<'_>,
    project: &LockedProject,
    upload: &Upload,
    (sha256, blake2b_256): (Sha256, Blake2b256),
) -> Result<Committed, ApiError> {
    if sha256 != upload.digests.sha256 || blake2b_256 != upload.digests.blake2b_256 {
        return Err(file_exists(upload, &blake2b_256));
    }
    let page = pages::current(transaction, &project.normalized).await?;
    let (serial, hashes) = page
        .map(|page| (page.serial, page.hashes))
        .ok_or(StoreError::Corrupt("projects.last_serial".to_owned()))?;
    let (html_sha256, _) = hashes.ok_or(StoreError::Corrupt("projects.html_sha256".to_owned()))?;
    Ok(Committed {
        serial,
        html_sha256,
        new: false,
    })
}

/// Starts with the words that twine, poetry and uv look for.
fn file_exists(upload: &Upload, there: &Blake2b256) -> ApiError {
    let filename = &upload.filename;
    let message = format!("File already exists ('{filename}', with blake2_256 hash '{there}').");
    ApiError::bad_request("file-exists", message)
}

fn accepts_uploads(project: &LockedProject) -> Result<(), ApiError> {
    match project.status {
        ProjectStatus::Active | ProjectStatus::Deprecated => Ok(()),
        ProjectStatus::Archived | ProjectStatus::Quarantined => {
            let (name, status) = (&project.normalized, project.status);
            let message = format!("Project `{name}` is {status} and takes no uploads.");
            Err(ApiError::new(
                axum::http::StatusCode::FORBIDDEN,
                "project-status",
                message,
            ))
        }
    }
}

/// Release and file rows; returns what happened, oldest first.
async fn insert_rows(
    transaction: &Transaction<'_>,
    project: &LockedProject,
    upload: &Upload,
) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::new();
    if !project.exists {
        changes.push(Change::Create);
    }
    let known = releases::find(transaction, project.id, &upload.version).await?;
    let release = if let Some(release) = known {
        release
    } else {
        changes.push(Change::NewRelease(upload.version.clone()));
        releases::create(transaction, project.id, &upload.version, &upload.metadata).await?
    };
    files::register_name(transaction, &upload.filename, &upload.digests.sha256).await?;
    files::create(
        transaction,
        &NewFile {
            release: release.id,
            project: project.id,
            filename: &upload.filename,
            digests: &upload.digests,
            requires_python: upload.metadata.requires_python.as_ref(),
            metadata_sha256: upload
                .metadata_file
                .as_ref()
                .map(|metadata| metadata.sha256),
            upload_time: project.now,
        },
    )
    .await?;
    changes.push(Change::AddFile(release.version, upload.filename.clone()));
    Ok(changes)
}

fn refused_by_constraint(error: StoreError, upload: &Upload) -> ApiError {
    match error {
        StoreError::Conflict(constraint) if constraint == NAME_TAKEN => ApiError::bad_request(
            "filename-used",
            "This filename was previously used by a file that has since been deleted. Use a \
             different version.",
        ),
        StoreError::Conflict(constraint) if constraint == BYTES_TAKEN => {
            file_exists(upload, &upload.digests.blake2b_256)
        }
        StoreError::Conflict(constraint) if constraint == NAME_RESEMBLES => {
            admit::too_similar(&upload.name)
        }
        other => other.into(),
    }
}

/// Each change with the files it added and removed.
fn with_files(
    changes: Vec<Change>,
    files: &[FileEntry],
    upload: &Upload,
) -> Vec<(Change, Value, Value)> {
    let added = files.iter().filter(|file| file.filename == upload.filename);
    let added = file_hashes(added);
    let nothing = || file_hashes([]);
    changes
        .into_iter()
        .map(|change| match change {
            Change::AddFile(..) => (change, added.clone(), nothing()),
            other => (other, nothing(), nothing()),
        })
        .collect()
}

/// Rendering a project of thousands of files takes milliseconds; other requests must not wait.
async fn render_off_thread(state: ProjectState, app: &App) -> Result<Draft, ApiError> {
    let identity = app.identity.clone();
    tokio::task::spawn_blocking(move || render(state, &identity.links))
        .await
        .map_err(ApiError::internal)
}
