//! Removal of a file, a release, a project. One row each, as in the public index; ours names the
//! files that went, with their hashes.
//!
//! What never comes back: a file name (`file_names`), a serial. What comes back: a project's name, to
//! whoever uploads to it next. The bytes stay until retention finds that no file names them, for a day
//! at the least: a mirror that is behind may still ask for them.

use axum::http::StatusCode;
use lockstep_core::change::Change;
use lockstep_core::filename::DistFilename;
use lockstep_core::status::ProjectStatus;
use lockstep_core::version::Version;
use lockstep_store::changelog::Event;
use lockstep_store::projects::{self, LockedProject};
use lockstep_store::{Transaction, files, releases};

use super::release as find_release;
use crate::error::ApiError;

/// Removes a file. The last one leaves its release behind, without files, as in the public index.
pub(super) async fn file(
    transaction: &Transaction<'_>,
    project: &LockedProject,
    filename: &DistFilename,
) -> Result<Option<Event>, ApiError> {
    let found = files::remove(transaction, project.id, filename).await?;
    let (version, removed) = found.ok_or_else(|| no_file(project, filename))?;
    Ok(Some(Event {
        change: Change::RemoveFile(version, filename.clone()),
        added: Vec::new(),
        removed: vec![removed],
    }))
}

/// Removes a release with its files.
pub(super) async fn release(
    transaction: &Transaction<'_>,
    project: &LockedProject,
    version: &Version,
) -> Result<Option<Event>, ApiError> {
    let release = find_release(transaction, project, version).await?;
    let removed = files::remove_of_release(transaction, release.id).await?;
    releases::remove(transaction, release.id).await?;
    Ok(Some(Event {
        change: Change::RemoveRelease(release.version),
        added: Vec::new(),
        removed,
    }))
}

/// Removes everything that a project has. Its row stays: it keeps the serials rising if the project is
/// created again. Its status goes, or nobody could.
pub(super) async fn project(
    transaction: &Transaction<'_>,
    project: &mut LockedProject,
) -> Result<Option<Event>, ApiError> {
    let removed = files::remove_of_project(transaction, project.id).await?;
    releases::remove_all(transaction, project.id).await?;
    (project.status, project.status_reason) = (ProjectStatus::Active, None);
    projects::set_status(transaction, project.id, project.status, None).await?;
    Ok(Some(Event {
        change: Change::RemoveProject,
        added: Vec::new(),
        removed,
    }))
}

fn no_file(project: &LockedProject, filename: &DistFilename) -> ApiError {
    let name = &project.normalized;
    let message =
        format!("Project `{name}` has no file `{filename}`; `/simple/{name}/` lists its files.");
    ApiError::new(StatusCode::NOT_FOUND, "no-file", message)
}
