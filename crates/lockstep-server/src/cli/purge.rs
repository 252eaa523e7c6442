//! `lockstep purge`: the duty to purge, once more, for projects as they are now.
//!
//! A row of the outbox like a commit's, at the project's last serial: purged twice by every CDN, looked
//! at by every probe. Marks never go back; what is newer is announced when this is done.

use clap::Args;
use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_core::plan::keys_to_purge;
use lockstep_core::serial::Serial;
use lockstep_store::{Transaction, begin, commit, outbox, pages, projects};

use super::{ConfigFile, manage, print};

#[derive(Debug, Args)]
pub(super) struct PurgeArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Projects, in any spelling; removed ones, too
    #[arg(required_unless_present = "since", value_name = "PROJECT")]
    projects: Vec<ProjectName>,
    /// Instead: every project that has changed after this serial; 0 for all
    #[arg(long, value_name = "SERIAL", conflicts_with = "projects")]
    since: Option<Serial>,
}

/// Queues them, all or none.
pub(super) async fn run(args: PurgeArgs) -> anyhow::Result<()> {
    let (store, _) = manage::open(&args.config.load()?).await?;
    let mut connection = store.connection().await?;
    let transaction = begin(&mut connection).await?;
    let projects = match args.since {
        Some(since) => projects::changed_after(&transaction, since).await?,
        None => named(&transaction, &args.projects).await?,
    };
    for (project, last_serial) in &projects {
        outbox::queue(&transaction, *last_serial, &keys_to_purge(project)).await?;
    }
    commit(transaction).await?;
    print(&format!(
        "queued the purges of {} projects\n",
        projects.len()
    ))
}

async fn named(
    transaction: &Transaction<'_>,
    names: &[ProjectName],
) -> anyhow::Result<Vec<(NormalizedName, Serial)>> {
    let mut found = Vec::new();
    for name in names {
        let project = name.normalized();
        let Some(page) = pages::current(transaction, &project).await? else {
            anyhow::bail!(
                "there never was a project `{project}`, so nothing was queued; `/simple/` lists \
                 those that there are"
            );
        };
        found.push((project, page.serial));
    }
    Ok(found)
}
