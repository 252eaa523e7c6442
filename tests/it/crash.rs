//! Kills: at every fault point, and amid many uploads. Afterwards all of an upload is there or none
//! of it, the same upload sent again succeeds, and no purge was lost (promises P3, P7).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, ensure};
use lockstep_server::fault::POINTS;
use lockstep_tests::checks::{self, Expected};
use lockstep_tests::dist::{Dist, Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::{Options, TestIndex, free_address};
use lockstep_tests::purge_sink::PurgeSink;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// A first upload makes three rows: create, new release, add file.
const ROWS: u64 = 3;

/// An index whose CDN is a purge sink and whose probe looks at the origin itself, so that every
/// stage has something to do.
pub(super) fn index(sink: &PurgeSink, fault: Option<&str>) -> anyhow::Result<TestIndex> {
    let address = free_address()?;
    let probe = format!("[[probe]]\nname = 'self'\nurl = 'http://{address}'\n");
    TestIndex::with(Options {
        address: Some(address),
        settings: sink.settings("50ms") + &probe,
        fault: fault.map(str::to_owned),
        ..Options::default()
    })
}

/// Restarts after a kill. The dead process's leases are let run out, or each case took two minutes.
fn restart(index: &mut TestIndex) -> anyhow::Result<()> {
    index.options.fault = None;
    index.expire_leases()?;
    index.restart()
}

pub(super) fn expect(expected: &mut Expected, project: &str, dist: &Dist) {
    let files = expected.entry(project.to_owned()).or_default();
    files.insert(dist.filename.clone(), dist.sha256.clone());
}

/// Kills at `point`; returns a line of the table.
async fn kill_at(point: &str) -> anyhow::Result<String> {
    let sink = PurgeSink::start()?;
    let mut index = index(&sink, Some(point))?;
    let dist = wheel("crash-me", "1.0", &Opts::default());
    let form = Form::of("crash-me", "1.0", &dist);
    let answered = form
        .send(&index)
        .await
        .is_ok_and(|answer| answer.status == 200);
    index.wait_for_death()?;
    let found: u64 = index
        .database()
        .query("select count(*) from changelog")?
        .parse()?;
    let duties = index.database().query("select count(*) from outbox")?;
    let purged_before = sink.purges().len();
    ensure!(found == 0 || found == ROWS, "half an upload: {found} rows");
    ensure!(
        duties == if found == 0 { "0" } else { "1" },
        "rows and the duty to purge differ"
    );
    ensure!(found == ROWS || !answered, "an answered upload is lost");
    let committed = POINTS.iter().position(|name| *name == "commit.committed");
    let here = POINTS.iter().position(|name| *name == point);
    ensure!(
        (found == ROWS) == (here >= committed),
        "{found} rows, not what this point means"
    );

    restart(&mut index)?;
    // As twine does after a broken connection.
    let again = form.send(&index).await?;
    ensure!(
        (again.status, again.serial) == (200, Some(ROWS)),
        "sent again: {again:?}"
    );
    let mut expected = Expected::new();
    expect(&mut expected, "crash-me", &dist);
    checks::whole(&index, &expected).await?;
    let purges = sink.purges();
    // Before or after the kill; what was interrupted was repeated.
    ensure!(purges.len() >= 2, "two passes, not {purges:?}");
    ensure!(
        purges.iter().all(|keys| keys.contains("project-crash-me")),
        "{purges:?}"
    );
    let (before, all) = (purged_before, purges.len());
    Ok(format!(
        "{point:<18} {answered:<9} {found:>4} of {ROWS}  {before:>6} before, {all} in all"
    ))
}

#[tokio::test]
async fn a_kill_at_any_point_leaves_all_of_an_upload_or_none() -> anyhow::Result<()> {
    let mut table = vec!["point              answered?  rows    purges".to_owned()];
    for point in POINTS {
        table.push(
            kill_at(point)
                .await
                .with_context(|| format!("killed at {point}"))?,
        );
    }
    eprintln!("{}", table.join("\n"));
    Ok(())
}

/// Uploads that were sent, and those that were answered 200.
#[derive(Default)]
struct Book {
    sent: Mutex<Vec<(String, String, Dist)>>,
    answered: Mutex<BTreeSet<String>>,
    /// Told of each answer.
    progress: Notify,
}

/// Uploads versions of one project until the server is gone.
async fn upload_until_killed(url: String, project: String, book: Arc<Book>) {
    for version in 1.. {
        let version = format!("{version}.0");
        let dist = wheel(
            &project,
            &version,
            &Opts {
                payload: 20_000,
                ..Opts::default()
            },
        );
        let form = Form::of(&project, &version, &dist);
        let filename = dist.filename.clone();
        book.sent
            .lock()
            .expect("no uploader panicked")
            .push((project.clone(), version, dist));
        match form.send_to(&url).await {
            Ok(answer) => {
                assert_eq!(answer.status, 200, "{answer:?}");
                book.answered
                    .lock()
                    .expect("no uploader panicked")
                    .insert(filename);
                book.progress.notify_one();
            }
            Err(_) => return,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_amid_eight_uploads_loses_none_that_was_answered() -> anyhow::Result<()> {
    let sink = PurgeSink::start()?;
    let mut index = index(&sink, None)?;
    let mut expected: BTreeMap<String, BTreeMap<String, String>> = Expected::new();
    for round in 0..3 {
        let book = Arc::new(Book::default());
        let mut uploaders = JoinSet::new();
        for uploader in 0..8 {
            let project = format!("round-{round}-project-{uploader}");
            uploaders.spawn(upload_until_killed(index.url(), project, book.clone()));
        }
        // Each round is cut at another place.
        while book.answered.lock().expect("no uploader panicked").len() < 10 + 3 * round {
            book.progress.notified().await;
        }
        index.kill()?;
        while let Some(done) = uploaders.join_next().await {
            done?;
        }
        let sent = book.sent.lock().expect("no uploader panicked").clone();
        let answered = book.answered.lock().expect("no uploader panicked").clone();
        let found = index.database().query("select filename from files")?;
        let found: BTreeSet<_> = found.lines().map(str::to_owned).collect();
        let lost: Vec<_> = answered.difference(&found).collect();
        ensure!(lost.is_empty(), "answered 200 and lost: {lost:?}");
        let ours = sent
            .iter()
            .filter(|(_, _, dist)| found.contains(&dist.filename))
            .count();
        eprintln!(
            "round {round}: {} sent, {} answered, {ours} found, {} purge calls",
            sent.len(),
            answered.len(),
            sink.purges().len()
        );

        restart(&mut index)?;
        for (project, version, dist) in &sent {
            let answer = Form::of(project, version, dist).send(&index).await?;
            ensure!(answer.status == 200, "{}: {answer:?}", dist.filename);
            expect(&mut expected, project, dist);
        }
        checks::whole(&index, &expected).await?;
    }
    Ok(())
}
