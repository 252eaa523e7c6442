//! `lockstep yank`, `remove`, `status`: an operator's orders, carried out by the same code as those
//! over HTTP.
//!
//! They speak to the database directly. Running processes hear of it from there: they purge, verify and
//! announce it like any other change.

use anyhow::bail;
use clap::Args;
use lockstep_core::filename::DistFilename;
use lockstep_core::name::ProjectName;
use lockstep_core::page::FileLinks;
use lockstep_core::status::{ProjectStatus, Reason};
use lockstep_core::version::Version;
use lockstep_store::{Health, Store, identity};

use super::{ConfigFile, print, store};
use crate::app;
use crate::blobs::Blobs;
use crate::manage::{Done, Order, carry_out};
use crate::settings::Settings;

#[derive(Debug, Args)]
pub(super) struct YankArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// The project, in any spelling
    project: ProjectName,
    /// The release; 1.0 and 1.0.0 are one
    version: Version,
    /// Why, for people: one line, shown by installers
    #[arg(long)]
    reason: Option<Reason>,
    /// Take the yank back
    #[arg(long, conflicts_with = "reason")]
    undo: bool,
}

#[derive(Debug, Args)]
pub(super) struct RemoveArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// The project, in any spelling
    project: ProjectName,
    /// The release; without it, and without --file, the whole project is removed
    version: Option<Version>,
    /// Only this file; its release stays
    #[arg(long, value_name = "NAME")]
    file: Option<DistFilename>,
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// The project, in any spelling
    project: ProjectName,
    /// active, archived, quarantined or deprecated
    status: ProjectStatus,
    /// Why, for people: one line, shown on the project's page; without it there is none
    #[arg(long)]
    reason: Option<Reason>,
}

pub(super) async fn yank(args: YankArgs) -> anyhow::Result<()> {
    let (what, order) = if args.undo {
        ("is not yanked", Order::Unyank(args.version.clone()))
    } else {
        ("is yanked", Order::Yank(args.version.clone(), args.reason))
    };
    let done = carry(&args.config, &args.project, &order).await?;
    tell(&format!("{} {} {what}", args.project, args.version), &done)
}

pub(super) async fn remove(args: RemoveArgs) -> anyhow::Result<()> {
    let (what, order) = match (args.file, args.version) {
        (Some(file), version) => {
            if let Some(version) = version {
                DistFilename::parse(file.as_str(), &args.project.normalized(), &version)?;
            }
            (file.to_string(), Order::RemoveFile(file))
        }
        (None, Some(version)) => (
            format!("{} {version}", args.project),
            Order::RemoveRelease(version),
        ),
        (None, None) => (args.project.to_string(), Order::RemoveProject),
    };
    let done = carry(&args.config, &args.project, &order).await?;
    for filename in &done.removed {
        print(&format!("removed {filename}\n"))?;
    }
    tell(&format!("{what} is removed"), &done)
}

pub(super) async fn status(args: StatusArgs) -> anyhow::Result<()> {
    let what = format!("{} is {}", args.project, args.status);
    let order = Order::Status(args.status, args.reason);
    tell(&what, &carry(&args.config, &args.project, &order).await?)
}

async fn carry(config: &ConfigFile, project: &ProjectName, order: &Order) -> anyhow::Result<Done> {
    let (store, links) = open(&config.load()?).await?;
    Ok(carry_out(&store, &links, &project.normalized(), order).await?)
}

/// The database, as far as it may be written to: with the right schema, and not an older backup.
pub(super) async fn open(settings: &Settings) -> anyhow::Result<(Store, FileLinks)> {
    let store = store(settings)?;
    if let Health::WrongSchema(remedy) = store.health().await? {
        bail!("{remedy}");
    }
    let connection = store.connection().await?;
    let blobs = Blobs::open(&settings.blobs)?;
    app::check_high_water(&connection, &blobs).await?;
    let links = identity::read(&connection).await?.links;
    drop(connection);
    Ok((store, links))
}

fn tell(what: &str, done: &Done) -> anyhow::Result<()> {
    let how = if done.new {
        ""
    } else {
        ", as it was; nothing was changed"
    };
    let page = match &done.page {
        Some(page) => format!("page {}", page.html.sha256),
        None => "no page".to_owned(),
    };
    print(&format!("{what}{how}: serial {}, {page}\n", done.serial))
}
