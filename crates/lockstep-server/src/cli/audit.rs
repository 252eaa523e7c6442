//! `lockstep audit`: the mirror's assertion, run from outside.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use lockstep_core::name::ProjectName;
use lockstep_core::serial::Serial;
use lockstep_mirror::audit::{self, Options, Url};
use lockstep_mirror::report::Report;
use lockstep_mirror::target::Kind;

use super::print;

/// What clap itself exits with for wrong usage.
const WRONG_USAGE: u8 = 2;

#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    /// A CDN edge or a mirror over HTTP, or a mirror's folder (bandersnatch, pep381client)
    #[arg(value_name = "URL")]
    target: String,
    /// The index whose changelog counts: its address, above /simple/
    #[arg(long, value_name = "URL")]
    index: Url,
    /// Only this project; several times for several
    #[arg(long = "project", value_name = "PROJECT")]
    projects: Vec<ProjectName>,
    /// Only projects that changed after this serial
    #[arg(long, value_name = "SERIAL", default_value = "0")]
    since: Serial,
    /// Look at pages alone. Without this every file behind every page is read whole, and its metadata
    /// document too: from a site that is a download of the whole index, or of what --project and
    /// --since choose
    #[arg(long)]
    pages_only: bool,
    /// What URL is, if that is not found out: edge, mirror, bandersnatch, pep381 or devpi
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    /// Print one JSON document with every project's state
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: AuditArgs) -> anyhow::Result<ExitCode> {
    let options = Options {
        index: args.index,
        target: args.target,
        kind: args.kind,
        projects: args.projects.iter().map(ProjectName::normalized).collect(),
        since: args.since,
        pages_only: args.pages_only,
    };
    let report = match audit::run(&options).await {
        Err(error) if error.is_usage() => {
            writeln!(std::io::stderr(), "lockstep: {error}")?;
            return Ok(ExitCode::from(WRONG_USAGE));
        }
        result => result?,
    };
    show(&report, args.json)?;
    Ok(if report.is_fine() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn show(report: &Report, json: bool) -> anyhow::Result<()> {
    if json {
        print(&format!("{}\n", serde_json::to_string(report)?))?;
    } else {
        print(&report.lines())?;
    }
    Ok(writeln!(std::io::stderr(), "{}", report.summary())?)
}
