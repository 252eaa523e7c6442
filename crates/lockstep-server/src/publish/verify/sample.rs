//! The probe that asks Fastly what *every* point of presence holds, of a sample of the changes.
//!
//! The account may ask 200 times an hour, so not every change is looked at: one that is not sampled
//! counts as seen by this probe, with a metric. One that is sampled and found old at any point of
//! presence is purged again and holds the announcement until another look finds it right; some of the
//! budget is kept for these. A look that fails is no evidence: a first one counts as not sampled.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use lockstep_cdn::edge_check::{EdgeCheck, EdgeCheckError, Held, What};
use lockstep_core::digest::Md5;
use lockstep_core::name::NormalizedName;
use lockstep_core::serial::Serial;
use lockstep_store::verifications::{self, ClaimedLook, PutOff};
use lockstep_store::{Client, StoreError, edge_checks, outbox, pages};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Progress, Stage, after_repeat, announce, pause, turn};
use crate::app::App;
use crate::read::cache::Representation;
use crate::read::negotiate::Coding;

/// Changes taken on at once, and how many looks run at a time: as many as the budget ever holds.
const BATCH: usize = 64;
const AT_ONCE: usize = 20;
/// Longer than a batch can take: all looks at once, 20 s each.
const LEASE: Duration = Duration::from_secs(45);
/// Calls that first looks leave to the second looks at what was found old.
const KEPT: u8 = 5;
/// How long what was found old waits for its second look when there is no call left: three come in it.
const WAIT: Duration = Duration::from_mins(1);
/// How many pages of a project are compared, newest first. A point of presence with an even older one
/// holds an unknown one, which is as bad.
const PAGES: i64 = 20;

/// Samples by one probe until shutdown.
pub async fn run(app: App, probe: EdgeCheck, shutdown: CancellationToken) {
    let owner = Uuid::new_v4();
    turn(Sampling { probe, owner }, &app, &shutdown).await;
}

struct Sampling {
    probe: EdgeCheck,
    owner: Uuid,
}

impl Stage for Sampling {
    const NAME: &'static str = "verify";

    fn who(&self) -> &str {
        self.probe.name()
    }

    async fn round(&self, app: &App) -> Result<Progress, StoreError> {
        round(app, &self.probe, self.owner).await
    }

    async fn give_back(&self, app: &App) -> Result<(), StoreError> {
        verifications::release(&app.store.connection().await?, self.owner).await
    }
}

/// What a look at a project gave; `None`: there was no call left for it.
type Seen = Option<Result<Vec<Held>, EdgeCheckError>>;

async fn round(app: &App, probe: &EdgeCheck, owner: Uuid) -> Result<Progress, StoreError> {
    let name = probe.name();
    let connection = app.store.connection().await?;
    let claimed = verifications::claim(&connection, name, BATCH, owner, LEASE).await?;
    if claimed.is_empty() {
        let next_due = verifications::next_due(&connection, name).await?;
        return Ok(Progress::Nothing { next_due });
    }
    let mut by_project: BTreeMap<NormalizedName, Vec<ClaimedLook>> = BTreeMap::new();
    for look in claimed {
        let rows = by_project.entry(look.project.clone()).or_default();
        rows.push(look);
    }
    let mut chosen = Vec::new();
    for (project, rows) in by_project {
        let again = rows.iter().any(|row| row.stale > 0);
        // Used up from here on, whatever becomes of this process.
        let may = edge_checks::take(&connection, if again { 1 } else { 1 + KEPT }).await?;
        chosen.push((project, rows, may));
    }
    drop(connection);
    let mut looks = stream::iter(chosen)
        .map(async |(project, rows, may)| {
            let seen: Seen = if may {
                Some(probe.look(&project).await)
            } else {
                None
            };
            (rows, seen)
        })
        .buffer_unordered(AT_ONCE);
    while let Some((rows, seen)) = looks.next().await {
        if seen.is_some() {
            app.metrics.edge_check(name).inc();
        }
        for row in rows {
            record(app, name, owner, &row, &seen).await?;
        }
    }
    announce::round(app).await?;
    Ok(Progress::Some)
}

/// What a look means for one change.
enum Verdict {
    Fresh,
    /// Some point of presence holds an older page.
    Stale(String),
    /// Nothing was said; why, and when to ask again if it matters.
    Unsaid(String, Duration),
}

async fn record(
    app: &App,
    probe: &str,
    owner: Uuid,
    row: &ClaimedLook,
    seen: &Seen,
) -> Result<(), StoreError> {
    let connection = app.store.connection().await?;
    let verdict = match seen {
        None => Verdict::Unsaid("no call is left for now".to_owned(), WAIT),
        Some(Err(error)) => {
            let wait = match error {
                EdgeCheckError::RateLimited { after: Some(after) } => *after,
                _ => pause(row.attempts).max(Duration::from_secs(1)),
            };
            Verdict::Unsaid(error.to_string(), wait)
        }
        Some(Ok(held)) => judge(&connection, row, held).await?,
    };
    let (serial, project) = (row.serial.get(), row.project.as_str());
    match verdict {
        Verdict::Fresh => verifications::seen(&connection, probe, &[row.outbox], owner).await,
        Verdict::Unsaid(why, _) if row.stale == 0 => {
            app.metrics.edge_check_skipped(probe).inc();
            tracing::debug!(
                probe,
                serial,
                project,
                stage = "verify",
                "not sampled: {why}"
            );
            if matches!(seen, Some(Err(_))) {
                tracing::warn!(
                    probe,
                    serial,
                    project,
                    stage = "verify",
                    "the edge check failed and its sample is left out: {why}"
                );
            }
            verifications::seen(&connection, probe, &[row.outbox], owner).await
        }
        Verdict::Unsaid(why, wait) => {
            tracing::warn!(
                probe,
                serial,
                project,
                retry_in_s = wait.as_secs_f64(),
                stage = "verify",
                "a page that was old at some point of presence can't be looked at again yet: {why}"
            );
            let put_off = (PutOff::Nothing, wait);
            verifications::put_off(&connection, probe, row.outbox, owner, put_off, &why).await
        }
        Verdict::Stale(text) => {
            app.metrics.stale_looks.inc();
            tracing::warn!(
                probe,
                serial,
                project,
                stale = row.stale + 1,
                stage = "verify",
                "an old page after all purges, purged again: {text}"
            );
            // The row is put off first: killed in between, the next look finds the old page again.
            let put_off = (PutOff::Stale, after_repeat(app, row.stale));
            verifications::put_off(&connection, probe, row.outbox, owner, put_off, &text).await?;
            outbox::repeat(&connection, &[row.outbox]).await?;
            app.wakes.work();
            Ok(())
        }
    }
}

/// Old is whatever is not this page or a newer one: bytes that nobody knows are purged as well.
async fn judge(
    client: &impl Client,
    row: &ClaimedLook,
    held: &[Held],
) -> Result<Verdict, StoreError> {
    let known = known(client, &row.project, held).await?;
    let gone = gone(client, row).await?;
    let mut said = false;
    for Held { pop, what } in held {
        let text = match what {
            What::Unsaid => continue,
            What::Nothing if gone => None,
            What::Nothing => Some("404".to_owned()),
            What::Page(md5) => match known.iter().find(|(_, hashes)| hashes.contains(md5)) {
                Some((serial, _)) if *serial >= row.serial => None,
                Some((serial, _)) => Some(format!("the page of serial {serial}")),
                None => Some(format!("bytes of no recent page, MD5 {md5}")),
            },
        };
        if let Some(text) = text {
            return Ok(Verdict::Stale(format!("{pop} has {text}")));
        }
        said = true;
    }
    Ok(if said {
        Verdict::Fresh
    } else {
        Verdict::Unsaid("no point of presence said what it has".to_owned(), WAIT)
    })
}

/// The project's pages with the hashes of their plain and gzip forms, as far back as it takes to know
/// everything that is held; usually that is one.
async fn known(
    client: &impl Client,
    project: &NormalizedName,
    held: &[Held],
) -> Result<Vec<(Serial, [Md5; 2])>, StoreError> {
    let mut open: Vec<Md5> = Vec::new();
    for each in held {
        if let What::Page(md5) = each.what {
            open.push(md5);
        }
    }
    let mut known = Vec::new();
    for (serial, sha256) in edge_checks::pages_of(client, project, PAGES).await? {
        if open.is_empty() {
            break;
        }
        let Some(page) = pages::by_hash(client, sha256).await? else {
            break; // retention has let it go, and all before it
        };
        let page = Representation::new(page.bytes, sha256);
        let gzip = page.coded(Coding::Gzip).await;
        let gzip = gzip.map_or(page.identity.clone(), |coded| coded.bytes);
        let hashes = [Md5::of(&page.identity), Md5::of(&gzip)];
        open.retain(|md5| !hashes.contains(md5));
        known.push((serial, hashes));
    }
    Ok(known)
}

/// Whether the project is to be gone, by this change or by a newer one.
async fn gone(client: &impl Client, row: &ClaimedLook) -> Result<bool, StoreError> {
    if row.hashes.is_none() {
        return Ok(true);
    }
    let current = pages::current(client, &row.project).await?;
    Ok(current.is_some_and(|page| page.hashes.is_none() && page.serial > row.serial))
}
