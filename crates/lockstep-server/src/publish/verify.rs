//! Stage 4, **verify**: every probe reads the page back, as a client would read it, until it serves
//! this page or a newer one.
//!
//! A purge that was lost, a token that was revoked, a key that is not on the object: nothing but a
//! look finds them. An old page is purged again, with growing pauses; a probe that is down, or that
//! serves another site, holds the announcement (or until `announce.max_wait`) and is named in the
//! log. Looks are leases like purges: a crash repeats them.

pub mod sample;
mod verdict;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use lockstep_cdn::backoff;
use lockstep_cdn::probe::{Probe, ProbeError, Sight, VARIANTS};
use lockstep_core::name::NormalizedName;
use lockstep_core::page::Form;
use lockstep_store::verifications::{self, ClaimedLook, PutOff};
use lockstep_store::{StoreError, outbox};
use rand::Rng as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::announce;
use super::rounds::{Progress, Stage, turn};
use crate::app::App;
use crate::fault;
use verdict::Verdict;

/// Looks taken on at once, and how many of them run at a time.
const BATCH: usize = 8;
const AT_ONCE: usize = 8;
/// Longer than a batch of looks can take: 4 variants of 10 s, all projects at once.
const LEASE: Duration = Duration::from_secs(45);

/// Verifies by one probe until shutdown.
pub async fn run(app: App, probe: Probe, shutdown: CancellationToken) {
    // Whose the claims are: this loop's alone, so that giving them back disturbs nobody.
    let owner = Uuid::new_v4();
    turn(Verifying { probe, owner }, &app, &shutdown).await;
}

struct Verifying {
    probe: Probe,
    owner: Uuid,
}

impl Stage for Verifying {
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

/// What was seen of a project: its four variants.
type Sights = Vec<(Form, Result<Sight, ProbeError>)>;

/// Claims what is due, looks with no transaction open, records what was seen.
pub async fn round(app: &App, probe: &Probe, owner: Uuid) -> Result<Progress, StoreError> {
    let name = probe.name();
    let connection = app.store.connection().await?;
    let claimed = verifications::claim(&connection, name, BATCH, owner, LEASE).await?;
    if claimed.is_empty() {
        let next_due = verifications::next_due(&connection, name).await?;
        return Ok(Progress::Nothing { next_due });
    }
    drop(connection);
    fault::point("verify.claimed")?;
    // One look serves all rows of a project.
    let mut by_project: BTreeMap<NormalizedName, Vec<ClaimedLook>> = BTreeMap::new();
    for look in claimed {
        by_project
            .entry(look.project.clone())
            .or_default()
            .push(look);
    }
    let mut looks = stream::iter(by_project)
        .map(async |(project, rows)| {
            let sights = look(probe, &project).await;
            (rows, sights)
        })
        .buffer_unordered(AT_ONCE);
    while let Some((rows, sights)) = looks.next().await {
        fault::point("verify.looked")?;
        for row in rows {
            record(app, probe, owner, &row, &sights).await?;
        }
        fault::point("verify.recorded")?;
    }
    announce::round(app).await?;
    Ok(Progress::Some)
}

async fn look(probe: &Probe, project: &NormalizedName) -> Sights {
    let mut sights = Vec::new();
    for variant in VARIANTS {
        sights.push((variant.0, probe.look(project, variant).await));
    }
    sights
}

async fn record(
    app: &App,
    probe: &Probe,
    owner: Uuid,
    row: &ClaimedLook,
    sights: &Sights,
) -> Result<(), StoreError> {
    let connection = app.store.connection().await?;
    let verdict = verdict::of(&connection, row, sights).await?;
    let (name, serial, project) = (probe.name(), row.serial.get(), row.project.as_str());
    let (why, pause, text) = match verdict {
        Verdict::Fresh => {
            return verifications::seen(&connection, name, &[row.outbox], owner).await;
        }
        Verdict::Stale(text) => {
            app.metrics.stale_looks.inc();
            tracing::warn!(
                probe = name,
                serial,
                project,
                stale = row.stale + 1,
                stage = "verify",
                "an old page after all purges, purged again: {text}"
            );
            // The row is put off first: killed in between, the next look finds the old page again.
            (PutOff::Stale, after_repeat(app, row.stale), text)
        }
        Verdict::Different(text) => {
            tracing::error!(
                probe = name,
                serial,
                project,
                stage = "verify",
                "the probe serves another site; nothing is announced meanwhile: {text}"
            );
            app.metrics.foreign_look(name).inc();
            // It may be what an edge has kept of a lost history: purged again like any old page.
            (PutOff::Stale, after_repeat(app, row.stale), text)
        }
        Verdict::Unknown(text) => {
            let pause = pause(row.attempts);
            app.metrics.failed_look(name).inc();
            tracing::warn!(
                probe = name,
                serial,
                project,
                attempts = row.attempts,
                retry_in_s = pause.as_secs_f64(),
                stage = "verify",
                "the probe can't be judged, will be repeated: {text}"
            );
            (PutOff::Nothing, pause, text)
        }
    };
    verifications::put_off(&connection, name, row.outbox, owner, (why, pause), &text).await?;
    if why == PutOff::Stale {
        outbox::repeat(&connection, &[row.outbox]).await?;
        app.wakes.work();
    }
    Ok(())
}

fn pause(failures: i32) -> Duration {
    let failures = u32::try_from(failures).unwrap_or(0).saturating_add(1);
    backoff(failures, rand::rng().random_range(0.0..1.0))
}

/// The next look comes when the repeated purge must have arrived, later each time.
fn after_repeat(app: &App, stale: i32) -> Duration {
    let settings = app.cdns.iter().map(|cdn| &cdn.settings);
    let arrival = settings
        .map(crate::settings::CdnSettings::propagation)
        .max();
    arrival.unwrap_or_default() + pause(stale)
}
