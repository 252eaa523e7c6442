//! `lockstep advance-serial`: after a restore from an older backup, the serials that were announced and
//! are lost are given up, and every project is told anew beyond them.
//!
//! Each step is durable, and each may be repeated: killed anywhere, the same command goes on. Until it
//! has done everything, `serve` refuses to start.

use std::collections::BTreeSet;

use indicatif::{ProgressBar, ProgressStyle};
use lockstep_core::filename::project_of;
use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_store::{Store, changelog, projects};

use super::print;
use crate::app;
use crate::blobs::Blobs;
use crate::fault;
use crate::publish::restore;
use crate::settings::Settings;

/// Gives up what is lost, and says how much that was.
pub(super) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let blobs = Blobs::open(&settings.blobs)?;
    let store = super::store(settings)?;
    let high_water = blobs.high_water().await?;
    let mut connection = store.connection().await?;
    let committed = lockstep_store::watermarks::read(&connection)
        .await?
        .committed;
    if high_water > committed {
        // The purges that follow are owed by the CDNs of today, not by those of the backup.
        app::establish(&mut connection, settings).await?;
        note_lost_projects(&store, &blobs).await?;
        fault::point("restore.noted")?;
    }
    let filled = changelog::fill_lost(&connection, high_water).await?;
    drop(connection);
    fault::point("restore.filled")?;
    let left = restore::left(&store).await?;
    if filled == 0 && left == 0 {
        return print("no serial is lost; nothing was changed\n");
    }
    let bar =
        ProgressBar::new(left)
            .with_message("projects")
            .with_style(ProgressStyle::with_template(
                "{msg} {wide_bar} {pos}/{len} {eta}",
            )?);
    restore::tell_all_anew(&store, &bar).await?;
    bar.finish_and_clear();
    let connection = store.connection().await?;
    let next = lockstep_store::watermarks::read(&connection)
        .await?
        .committed
        .plus(1);
    print(&format!(
        "{filled} lost serials given up, {left} projects told anew; the next serial is {next}\n"
    ))
}

/// Projects that only lost serials spoke of: their files still lie in the blob store. They are noted
/// before the lost serials are filled, so that a kill in between forgets none: `serve` refuses until
/// then, and until the noted ones are told to be gone.
async fn note_lost_projects(store: &Store, blobs: &Blobs) -> anyhow::Result<()> {
    let connection = store.connection().await?;
    let mut seen: BTreeSet<NormalizedName> = BTreeSet::new();
    let mut walk = blobs.all();
    while let Some(batch) = walk.next_batch().await? {
        let names = batch.iter().filter_map(|(_, file)| project_of(file));
        let new: Vec<ProjectName> = names
            .filter(|name| seen.insert(name.normalized()))
            .collect();
        for name in new {
            projects::note(&connection, &name).await?;
        }
    }
    Ok(())
}
