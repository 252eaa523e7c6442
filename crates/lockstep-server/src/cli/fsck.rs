//! `lockstep fsck`: is what is stored what was promised?
//!
//! Re-renders every page from its rows and compares it with the bytes kept and the hashes told;
//! reads every file back; checks that serials are dense and the watermarks in order. Reads only, and
//! may run beside a busy index: what changes meanwhile is looked at again.

use futures_util::TryStreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use lockstep_core::digest::{FileHasher, Sha256};
use lockstep_core::filename::DistFilename;
use lockstep_core::name::NormalizedName;
use lockstep_core::page::{FileLinks, Sealed, render};
use lockstep_core::status::ProjectStatus;
use lockstep_store::files::{self, StoredFile};
use lockstep_store::projects::{self, ProjectRow};
use lockstep_store::{Store, begin_snapshot, changelog, identity, outbox, pages, watermarks};

use super::print;
use crate::blobs::{BlobError, Blobs, Part};
use crate::settings::Settings;

const BATCH: i64 = 500;

/// Checks everything and prints a line per finding; returns how many there were.
pub(super) async fn run(settings: &Settings) -> anyhow::Result<u64> {
    let store = super::store(settings)?;
    let blobs = Blobs::open(&settings.blobs)?;
    let connection = store.connection().await?;
    let links = identity::read(&connection).await?.links;
    drop(connection);
    let mut findings = 0;
    let mut report = |finding: String| {
        findings += 1;
        print(&format!("{finding}\n"))
    };
    check_serials(&store, &mut report).await?;
    check_pages(&store, &links, &mut report).await?;
    check_files(&store, &blobs, &mut report).await?;
    tracing::info!(findings, "checked");
    Ok(findings)
}

type Report<'a> = &'a mut dyn FnMut(String) -> anyhow::Result<()>;

fn bar(length: u64, what: &'static str) -> anyhow::Result<ProgressBar> {
    // Drawn only on a terminal.
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}")?;
    Ok(ProgressBar::new(length)
        .with_style(style)
        .with_message(what))
}

async fn check_serials(store: &Store, report: Report<'_>) -> anyhow::Result<()> {
    let mut connection = store.connection().await?;
    let snapshot = begin_snapshot(&mut connection).await?;
    let (gap, beyond) = changelog::density(&snapshot).await?;
    if let Some(gap) = gap {
        report(format!("serials: {gap} has no row in the changelog"))?;
    }
    if beyond > 0 {
        report(format!(
            "serials: {beyond} rows lie beyond the last serial given out"
        ))?;
    }
    let marks = watermarks::read(&snapshot).await?;
    if marks.announced > marks.committed
        || marks.purged > marks.committed
        || marks.verified > marks.purged
    {
        report(format!(
            "watermarks: beyond the last committed serial: {marks:?}"
        ))?;
    }
    let open = outbox::open(&snapshot).await?;
    if open > 0 {
        // No finding: purges of a busy index, or of one whose CDN is down.
        tracing::info!(open, "transactions still wait for a CDN");
    }
    Ok(())
}

async fn check_pages(store: &Store, links: &FileLinks, report: Report<'_>) -> anyhow::Result<()> {
    let mut connection = store.connection().await?;
    let bar = bar(projects::count(&connection).await?, "pages")?;
    let mut last: Option<NormalizedName> = None;
    loop {
        // A snapshot a batch: rows, page and changelog of a project are seen at one moment.
        let snapshot = begin_snapshot(&mut connection).await?;
        let batch = projects::after(&snapshot, last.as_ref(), BATCH).await?;
        let Some(end) = batch.last() else { break };
        last = Some(end.state.name.clone());
        for project in batch {
            let name = project.state.name.clone();
            for finding in page_findings(&snapshot, links, project).await? {
                report(format!("{name}: {finding}"))?;
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(())
}

async fn page_findings(
    snapshot: &lockstep_store::Transaction<'_>,
    links: &FileLinks,
    project: ProjectRow,
) -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    let Some(word) = changelog::last_of_project(snapshot, project.id).await? else {
        return Ok(vec!["no row in the changelog".to_owned()]);
    };
    if word.serial != project.last_serial {
        let (row, page) = (word.serial, project.last_serial);
        findings.push(format!("the changelog ends at {row}, the page says {page}"));
    }
    if (word.html_sha256, word.json_sha256) != (project.html_sha256, project.json_sha256) {
        findings.push("the current page is not the one the changelog announces".to_owned());
    }
    let mut state = project.state;
    state.files = projects::files(snapshot, project.id).await?;
    let listed = project.exists && state.status != ProjectStatus::Quarantined;
    if word.listed != listed {
        let (is, says) = (listed, word.listed);
        findings.push(format!(
            "listed: it is to be {is}, but the changelog says {says}"
        ));
    }
    if !project.exists {
        if !state.files.is_empty() {
            let left = state.files.len();
            findings.push(format!("removed, but {left} of its files are left"));
        }
        return Ok(findings);
    }
    let draft = render(state, links);
    let serial = project.last_serial;
    if draft.content_sha256 != word.content_sha256 {
        findings.push("content: its rows render to another hash than announced".to_owned());
    }
    if draft.files_sha256 != word.files_sha256 {
        findings.push("files: its rows render to another hash than announced".to_owned());
    }
    for (form, sealed, announced) in [
        ("HTML page", draft.html.seal(serial), word.html_sha256),
        ("JSON page", draft.json.seal(serial), word.json_sha256),
    ] {
        findings.extend(form_findings(snapshot, form, sealed, announced).await?);
    }
    Ok(findings)
}

async fn form_findings(
    snapshot: &lockstep_store::Transaction<'_>,
    form: &str,
    sealed: Sealed,
    announced: Option<Sha256>,
) -> anyhow::Result<Option<String>> {
    let Some(announced) = announced else {
        return Ok(Some(format!("{form}: not announced")));
    };
    if sealed.sha256 != announced {
        let rendered = sealed.sha256;
        return Ok(Some(format!(
            "{form}: renders to {rendered}, but {announced} was announced"
        )));
    }
    Ok(match pages::by_hash(snapshot, announced).await? {
        None => Some(format!("{form}: {announced} is not kept")),
        Some(page) if Sha256::of(&page.bytes) != announced => Some(format!(
            "{form}: the bytes kept are not those of {announced}"
        )),
        Some(_) => None,
    })
}

async fn check_files(store: &Store, blobs: &Blobs, report: Report<'_>) -> anyhow::Result<()> {
    let connection = store.connection().await?;
    let bar = bar(files::count(&connection).await?, "files")?;
    let mut last: Option<DistFilename> = None;
    loop {
        let batch = files::after(&connection, last.as_ref(), BATCH).await?;
        let Some(end) = batch.last() else { break };
        last = Some(end.filename.clone());
        for file in &batch {
            if let Some(finding) = file_finding(blobs, file).await? {
                report(format!("{}: {finding}", file.filename))?;
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(())
}

async fn file_finding(blobs: &Blobs, file: &StoredFile) -> anyhow::Result<Option<String>> {
    let Some(digests) = digests(blobs, file, Part::File).await? else {
        return Ok(Some("the file is missing".to_owned()));
    };
    if digests.sha256 != file.sha256 || digests.size != file.size {
        return Ok(Some(format!(
            "the file's bytes have hash {}, not {}",
            digests.sha256, file.sha256
        )));
    }
    let Some(wanted) = file.metadata_sha256 else {
        return Ok(None);
    };
    Ok(match digests_of_metadata(blobs, file).await? {
        None => Some("its .metadata is missing".to_owned()),
        Some(found) if found != wanted => {
            Some(format!("its .metadata has hash {found}, not {wanted}"))
        }
        Some(_) => None,
    })
}

async fn digests_of_metadata(blobs: &Blobs, file: &StoredFile) -> anyhow::Result<Option<Sha256>> {
    Ok(digests(blobs, file, Part::Metadata)
        .await?
        .map(|digests| digests.sha256))
}

async fn digests(
    blobs: &Blobs,
    file: &StoredFile,
    part: Part,
) -> anyhow::Result<Option<lockstep_core::digest::FileDigests>> {
    let mut reading = match blobs
        .read(&file.blake2b_256, &file.filename, part, None)
        .await
    {
        Ok(reading) => reading,
        Err(BlobError::NotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut hasher = FileHasher::default();
    while let Some(chunk) = reading.stream.try_next().await? {
        hasher.update(&chunk);
    }
    Ok(Some(hasher.finish()))
}
