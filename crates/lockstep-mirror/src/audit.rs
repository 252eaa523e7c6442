//! The audit: every project's page and files at a target, held against the index's changelog.
//!
//! In the order of time: read what was announced; look at the target, many projects at once; ask for
//! the history of those that are not plainly right, *after* looking, so that what changed meanwhile
//! is judged by what is known now.

mod project;

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use lockstep_core::name::NormalizedName;
use lockstep_core::serial::Serial;
pub use reqwest::Url;

use self::project::{Looked, look};
use crate::changelog::{Expected, Index, IndexError};
use crate::report::Report;
use crate::target::{Kind, Pages, Target, TargetError};

/// What to audit.
#[derive(Debug, Clone)]
pub struct Options {
    /// The index, the address above `/simple/`.
    pub index: Url,
    /// A URL, or a mirror's folder.
    pub target: String,
    /// What it is, where that is not to be found out.
    pub kind: Option<Kind>,
    /// Only these; all if empty.
    pub projects: Vec<NormalizedName>,
    /// Only projects that changed after this serial.
    pub since: Serial,
}

/// An audit that could not be done.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The index did not tell.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The target can't be looked at.
    #[error(transparent)]
    Target(#[from] TargetError),
}

impl AuditError {
    /// Whether the command line is at fault and not the world.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Target(error) if error.is_usage())
    }
}

/// Audits; draws its progress on a terminal.
pub async fn run(options: &Options) -> Result<Report, AuditError> {
    let target = Target::open(&options.target, options.kind)?;
    let index = Index::new(options.index.clone());
    let announced = index.announced().await?;
    let expected = expected(&index, options, announced).await?;
    target.reach().await?;
    let bar = bar("projects", expected.len() as u64);
    let mut looked: Vec<Looked> = stream::iter(expected)
        .map(|(project, expected)| look(&index, &target, project, expected))
        .buffer_unordered(target.concurrency())
        .inspect_ok(|_| bar.inc(1))
        .try_collect()
        .await?;
    bar.finish_and_clear();
    looked.sort_by(|a, b| a.project.cmp(&b.project));
    let copies = match target.pages() {
        Pages::Copied => true,
        Pages::Rendered => false,
        Pages::Either => looked.iter().any(Looked::has_copy),
    };
    let verdicts = looked.into_iter().map(|looked| looked.verdict(copies));
    Ok(Report::new(
        index.url().to_string(),
        options.target.clone(),
        announced,
        verdicts.collect(),
    ))
}

/// What was announced of the projects asked for.
async fn expected(
    index: &Index,
    options: &Options,
    announced: Serial,
) -> Result<BTreeMap<NormalizedName, Expected>, IndexError> {
    if options.projects.is_empty() {
        let bar = bar("changelog", announced.get());
        let read = |serial: Serial| bar.set_position(serial.get());
        let expected = index.expected(options.since, announced, read).await;
        bar.finish_and_clear();
        return expected;
    }
    let mut expected = BTreeMap::new();
    for project in &options.projects {
        let last = index.expected_of(project, announced).await?;
        let last = last.ok_or_else(|| IndexError::Unknown(project.clone()))?;
        if last.row > options.since {
            expected.insert(project.clone(), last);
        }
    }
    Ok(expected)
}

fn bar(what: &'static str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
    // Drawn only on a terminal.
    ProgressBar::new(length)
        .with_style(style.expect("the template is a constant"))
        .with_message(what)
}
