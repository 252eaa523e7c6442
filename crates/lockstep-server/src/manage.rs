//! Management: what an operator orders, by HTTP ([`api`]) or on the command line, carried out here
//! and nowhere else.
//!
//! An order is one transaction like an upload's: rows, page, changelog, duty to purge, with the same
//! locks in the same order. An order that would change nothing writes nothing: it is answered with
//! what is there. So an order whose answer was lost can be given again.

pub(crate) mod api;
mod remove;
mod status;
mod yank;

use axum::http::StatusCode;
use lockstep_core::change::Change;
use lockstep_core::filename::DistFilename;
use lockstep_core::name::NormalizedName;
use lockstep_core::page::FileLinks;
use lockstep_core::serial::Serial;
use lockstep_core::status::{ProjectStatus, Reason, Yanked};
use lockstep_core::version::Version;
use lockstep_store::changelog::PageRef;
use lockstep_store::projects::{self, LockedProject};
use lockstep_store::releases::{self, ReleaseRow};
use lockstep_store::{Store, Transaction, begin};

use crate::error::ApiError;
use crate::publish::commit::record::{record, unchanged};

/// What can be ordered of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// Yank a release (PEP 592), or change the reason.
    Yank(Version, Option<Reason>),
    /// Take a yank back.
    Unyank(Version),
    /// Remove a file; its release stays, even without files.
    RemoveFile(DistFilename),
    /// Remove a release with its files.
    RemoveRelease(Version),
    /// Remove the project with all releases, files and its status.
    RemoveProject,
    /// Set the status marker (PEP 792).
    Status(ProjectStatus, Option<Reason>),
}

/// What an order led to.
#[derive(Debug)]
pub(crate) struct Done {
    /// The change's serial, or the project's last one when nothing had to change.
    pub(crate) serial: Serial,
    /// What the project shows; `None`: it is gone.
    pub(crate) page: Option<PageRef>,
    /// False when everything was so already.
    pub(crate) new: bool,
    /// The files that it removed, by name.
    pub(crate) removed: Vec<DistFilename>,
}

/// Carries out an order, or finds that it is carried out already.
pub(crate) async fn carry_out(
    store: &Store,
    links: &FileLinks,
    project: &NormalizedName,
    order: &Order,
) -> Result<Done, ApiError> {
    let mut connection = store.connection().await?;
    let transaction = begin(&mut connection).await?;
    // Lock 1: from here to the end nobody else changes this project.
    let mut project = there(&transaction, project).await?;
    // What is hidden already is not shown less by being removed.
    let hidden = project.status == ProjectStatus::Quarantined;
    let event = match order {
        Order::Yank(version, reason) => {
            let yanked = Yanked::Yes(reason.clone());
            yank::mark(&transaction, &project, version, yanked).await?
        }
        Order::Unyank(version) => yank::mark(&transaction, &project, version, Yanked::No).await?,
        Order::RemoveFile(filename) => remove::file(&transaction, &project, filename).await?,
        Order::RemoveRelease(version) => remove::release(&transaction, &project, version).await?,
        Order::RemoveProject => remove::project(&transaction, &mut project).await?,
        Order::Status(status, reason) => {
            status::set(&transaction, &mut project, *status, reason.as_ref()).await?
        }
    };
    let Some(mut event) = event else {
        let there = unchanged(&transaction, &project).await?;
        return Ok(Done {
            serial: there.serial,
            page: there.page,
            new: false,
            removed: Vec::new(),
        });
    };
    let mut removed = match &event.change {
        // Hidden, not removed.
        Change::Status(..) => Vec::new(),
        _ => event.removed.iter().map(|(name, _)| name.clone()).collect(),
    };
    removed.sort();
    if hidden {
        event.removed.clear();
    }
    let name = &project.display_name;
    let recorded = record(transaction, &project, name, &[event], links).await?;
    Ok(Done {
        serial: recorded.serial,
        page: recorded.page,
        new: true,
        removed,
    })
}

async fn there(
    transaction: &Transaction<'_>,
    name: &NormalizedName,
) -> Result<LockedProject, ApiError> {
    match projects::lock(transaction, name).await? {
        Some(project) if project.exists => Ok(project),
        Some(project) => Err(no_project(&format!(
            "Project `{name}` was removed, at serial {}.",
            project.last_serial
        ))),
        None => Err(no_project(&format!(
            "There is no project `{name}`; `/simple/` lists those that there are."
        ))),
    }
}

async fn release(
    transaction: &Transaction<'_>,
    project: &LockedProject,
    version: &Version,
) -> Result<ReleaseRow, ApiError> {
    let found = releases::find(transaction, project.id, version).await?;
    let name = &project.normalized;
    found.ok_or_else(|| {
        let message = format!(
            "Project `{name}` has no release `{version}`; `/pypi/{name}/json` lists its releases."
        );
        ApiError::new(StatusCode::NOT_FOUND, "no-release", message)
    })
}

fn no_project(message: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "no-project", message)
}
