//! The project's status marker (PEP 792): active, archived, quarantined, deprecated.
//!
//! Any status may follow any other. What a status means is elsewhere: the renderer empties the page of
//! a quarantined project and leaves its rows alone, so that everything comes back with it; the list of
//! projects and the JSON API hide it; the commit of uploads refuses them to it and to an archived one.

use lockstep_core::change::Change;
use lockstep_core::status::{ProjectStatus, Reason};
use lockstep_store::changelog::Event;
use lockstep_store::projects::{self, LockedProject};
use lockstep_store::{StoreError, Transaction};

/// Sets the status; `None`: it is this one already, for this very reason.
pub(super) async fn set(
    transaction: &Transaction<'_>,
    project: &mut LockedProject,
    status: ProjectStatus,
    reason: Option<&Reason>,
) -> Result<Option<Event>, StoreError> {
    if (project.status, project.status_reason.as_ref()) == (status, reason) {
        return Ok(None);
    }
    projects::set_status(transaction, project.id, status, reason).await?;
    let mut event = Event::of(Change::Status(project.status, status));
    // What the row tells of is what is shown: quarantine takes all files away, and gives them back.
    let was_hidden = project.status == ProjectStatus::Quarantined;
    let is_hidden = status == ProjectStatus::Quarantined;
    if was_hidden != is_hidden {
        let files = projects::files(transaction, project.id).await?;
        let files = files.into_iter().map(|it| (it.filename, it.sha256));
        let side = if is_hidden {
            &mut event.removed
        } else {
            &mut event.added
        };
        side.extend(files);
    }
    (project.status, project.status_reason) = (status, reason.cloned());
    Ok(Some(event))
}
