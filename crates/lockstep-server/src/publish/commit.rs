//! Stage 2, **commit**: one transaction makes an upload exist.
//!
//! Rows, the rendered page, its hash in the changelog, and the duty to purge: all of it or none of
//! it (promise P3). Two locks, always in this order:
//!
//! 1. the project's row, for the whole transaction: nobody else changes this project;
//! 2. the serial's row, last and short: serial order becomes commit order (P1), and what happens
//!    under it takes the same time for a project of one file and of ten thousand.
//!
//! Nothing but PostgreSQL is waited for in here. What comes after the rows is in [`record`], which an
//! operator's orders go through as well.

pub(crate) mod record;

use lockstep_core::change::Change;
use lockstep_core::digest::{Blake2b256, Sha256};
use lockstep_core::serial::Serial;
use lockstep_core::status::ProjectStatus;
use lockstep_store::changelog::Event;
use lockstep_store::files::{self, BYTES_TAKEN, NAME_TAKEN, NewFile};
use lockstep_store::projects::{self, LockedProject, NAME_RESEMBLES};
use lockstep_store::{StoreError, Transaction, begin, provenances, releases};
use record::{Recorded, record, unchanged};

use super::admit;
use super::upload::Upload;
use crate::app::App;
use crate::error::ApiError;

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
    if let Some(reason) = app.doom.get() {
        return Err(ApiError::unavailable("stopping", reason.clone()));
    }
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

    let events = insert_rows(&transaction, &project, upload)
        .await
        .map_err(|error| refused_by_constraint(error, upload))?;
    let weight = files::weigh(&transaction, project.id, &upload.filename).await?;
    admit::check_weight(&weight, upload, app.settings.upload.max_project_size)?;
    let links = &app.identity.links;
    let recorded = record(transaction, &project, &upload.name, &events, links).await?;
    app.metrics.uploads.inc();
    app.wakes.work();
    committed(recorded, true).map_err(ApiError::from)
}

/// A project that was uploaded to has a page.
fn committed(recorded: Recorded, new: bool) -> Result<Committed, StoreError> {
    let page = recorded.page;
    let page = page.ok_or_else(|| StoreError::Corrupt("changelog.page_serial".to_owned()))?;
    Ok(Committed {
        serial: recorded.serial,
        html_sha256: page.html.sha256,
        new,
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
    let recorded = unchanged(transaction, project).await?;
    committed(recorded, false).map_err(ApiError::from)
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
) -> Result<Vec<Event>, StoreError> {
    let mut events = Vec::new();
    if !project.exists {
        events.push(Event::of(Change::Create));
    }
    let known = releases::find(transaction, project.id, &upload.version).await?;
    let release = if let Some(release) = known {
        release
    } else {
        events.push(Event::of(Change::NewRelease(upload.version.clone())));
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
            provenance_url: upload.provenance.as_ref().map(|found| found.url.as_str()),
        },
    )
    .await?;
    if let Some(found) = &upload.provenance {
        provenances::create(transaction, &upload.filename, &found.document).await?;
    }
    events.push(Event {
        change: Change::AddFile(release.version, upload.filename.clone()),
        added: vec![(upload.filename.clone(), upload.digests.sha256)],
        removed: Vec::new(),
    });
    Ok(events)
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
