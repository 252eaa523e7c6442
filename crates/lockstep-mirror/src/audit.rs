//! The audit: every project's page and files at a target, held against the index's changelog.
//!
//! In the order of time: read what was announced; look at the target, many projects at once; ask for
//! the history of those that are not plainly right, *after* looking, so that what changed meanwhile
//! is judged by what is known now.
//!
//! What is held in memory is a few hundred bytes a project, and the pages and pieces of files that
//! are being looked at; never an answer of the whole index.

mod files;
mod project;

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::{HumanBytes, ProgressBar, ProgressState, ProgressStyle};
use lockstep_core::name::NormalizedName;
use lockstep_core::serial::Serial;
pub use reqwest::Url;

use self::project::{Looked, look};
use crate::index::{Announced, Index, IndexError};
use crate::report::{Counts, Measure, Report};
use crate::target::{Kind, Pages, Target, TargetError, public};

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
    /// Pages alone, and not the files behind them.
    pub pages_only: bool,
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
    let (index, announced) = Index::open(options.index.clone()).await?;
    target.reach().await?;
    let expected = expected(&index, &target, options, announced).await?;
    let bar = bar("projects", expected.len() as u64);
    let bar = with_bytes(bar, target.bytes_read());
    let with_files = !options.pages_only;
    let mut looked: Vec<Looked> = stream::iter(expected)
        .map(|(project, expected)| look(&index, &target, project, expected, with_files))
        .buffer_unordered(target.concurrency())
        .inspect_ok(|_| bar.inc(1))
        .try_collect()
        .await?;
    bar.finish_and_clear();
    let copies = match target.pages() {
        Pages::Copied => true,
        Pages::Rendered => false,
        Pages::Either => looked.iter().any(|looked| looked.has_copy),
    };
    let verdicts = looked.drain(..).map(|looked| looked.verdict(copies));
    let mut projects: Vec<_> = verdicts.collect();
    projects.sort_by(|a, b| a.project.cmp(&b.project));
    Ok(Report {
        index: public(index.url()).to_string(),
        target: target.to_string(),
        kind: target.kind(),
        judged_by: if copies {
            Measure::Bytes
        } else {
            Measure::Content
        },
        pages_only: options.pages_only,
        file_bytes: target.bytes_read().load(Ordering::Relaxed),
        announced,
        counts: Counts::of(&projects),
        projects,
    })
}

/// What was announced of the projects asked for.
async fn expected(
    index: &Index,
    target: &Target,
    options: &Options,
    announced: Serial,
) -> Result<Announced, IndexError> {
    if !options.projects.is_empty() {
        return chosen(index, options, announced).await;
    }
    if options.since > Serial::ZERO {
        return read_changelog(announced, |progress| {
            index.changed(options.since, announced, progress)
        })
        .await;
    }
    let bar = ProgressBar::new_spinner().with_message("snapshot");
    let count = |projects: usize| bar.set_message(format!("snapshot: {projects} projects"));
    let mut expected = index.snapshot(announced, count).await?;
    bar.finish_and_clear();
    // A snapshot does not name what is gone, and a cache may show it still.
    if !target.keeps_removed() {
        let gone = read_changelog(announced, |progress| index.removed(announced, progress)).await?;
        expected.extend(gone);
    }
    Ok(expected)
}

/// The last word on each project named by the options, if it is recent enough.
async fn chosen(
    index: &Index,
    options: &Options,
    announced: Serial,
) -> Result<Announced, IndexError> {
    let mut expected = Announced::new();
    for project in &options.projects {
        let last = index.expected_of(project, announced).await?;
        let last = last.ok_or_else(|| IndexError::Unknown(project.clone()))?;
        if last.row > options.since {
            expected.insert(project.clone(), last);
        }
    }
    Ok(expected)
}

/// Reads the changelog by `read`, which is given a progress bar to move.
async fn read_changelog<F>(
    up_to: Serial,
    read: impl FnOnce(Box<dyn Fn(Serial)>) -> F,
) -> Result<Announced, IndexError>
where
    F: Future<Output = Result<Announced, IndexError>>,
{
    let bar = bar("changelog", up_to.get());
    let moved = bar.clone();
    let announced = read(Box::new(move |serial| moved.set_position(serial.get()))).await;
    bar.finish_and_clear();
    announced
}

fn bar(what: &'static str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
    // Drawn only on a terminal.
    ProgressBar::new(length)
        .with_style(style.expect("the template is a constant"))
        .with_message(what)
}

/// A bar that also shows how much of files was read, and moves while a large one is.
fn with_bytes(bar: ProgressBar, bytes: &Arc<AtomicU64>) -> ProgressBar {
    let bytes = bytes.clone();
    let show = move |_: &ProgressState, out: &mut dyn Write| {
        let bytes = HumanBytes(bytes.load(Ordering::Relaxed));
        // A bar that can't be drawn stops nothing.
        let _ = write!(out, "{bytes}");
    };
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {bytes_read} {eta}");
    let style = style.expect("the template is a constant");
    bar.set_style(style.with_key("bytes_read", show));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
