//! Yank and unyank (PEP 592): a mark of a release, which all of its files show, later ones as well.
//!
//! A release without files can be yanked, too: its page stays the same but for the serial, and the
//! JSON API tells.

use lockstep_core::change::Change;
use lockstep_core::status::Yanked;
use lockstep_core::version::Version;
use lockstep_store::changelog::Event;
use lockstep_store::projects::LockedProject;
use lockstep_store::{Transaction, releases};

use super::release;
use crate::error::ApiError;

/// Marks a release; `None`: it is marked so already, with this very reason.
pub(super) async fn mark(
    transaction: &Transaction<'_>,
    project: &LockedProject,
    version: &Version,
    yanked: Yanked,
) -> Result<Option<Event>, ApiError> {
    let release = release(transaction, project, version).await?;
    if release.yanked == yanked {
        return Ok(None);
    }
    releases::set_yanked(transaction, release.id, &yanked).await?;
    let change = match yanked {
        Yanked::Yes(_) => Change::Yank(release.version),
        Yanked::No => Change::Unyank(release.version),
    };
    Ok(Some(Event::of(change)))
}
