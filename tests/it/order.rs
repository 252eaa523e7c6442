//! Order: what a reader of the changelog is shown while many upload (promise P1), and that every
//! hash it is told is the hash of a page that is there (P2, P6).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use lockstep_tests::checks::{self, Expected};
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::{Answer, Form};
use lockstep_tests::index::{Options, TestIndex, free_address};
use lockstep_tests::purge_sink::PurgeSink;
use lockstep_tests::reader::Reader;
use tokio::task::JoinSet;

const UPLOADERS: usize = 16;
const FILES: usize = 5;
/// Half of the uploaders have a project each, the other half share one. Each file is a release of
/// its own; each project is created once.
const ROWS: u64 = (UPLOADERS * FILES * 2 + UPLOADERS / 2 + 1) as u64;

/// Follows the changelog to the last row; anything but the next serial is an error.
async fn follow(url: String, horizon: &'static str) -> anyhow::Result<usize> {
    let reader = Reader::new()?;
    let (mut last, mut polls) = (0, 0);
    while last < ROWS {
        let query = format!("since={last}&limit=7&wait=5&horizon={horizon}");
        let answer = reader
            .get(&format!("{url}/changelog/?{query}"))
            .await?
            .json()?;
        let up_to = answer["meta"][format!("{horizon}-serial")].as_u64();
        for row in answer["changes"].as_array().context("no changes")? {
            let serial = row["serial"].as_u64().context("no serial")?;
            ensure!(serial == last + 1, "after {last} came {serial} ({horizon})");
            ensure!(
                Some(serial) <= up_to,
                "{serial} is beyond the {horizon} {up_to:?}"
            );
            last = serial;
        }
        ensure!(answer["next"] == last, "next is not the last row");
        polls += 1;
    }
    Ok(polls)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_never_sees_a_gap_nor_a_row_behind_it() -> anyhow::Result<()> {
    let sink = PurgeSink::start()?;
    let settings = sink.settings("20ms");
    let index = TestIndex::with(Options {
        settings,
        ..Options::default()
    })?;
    let mut readers = JoinSet::new();
    for horizon in ["announced", "committed", "announced"] {
        readers.spawn(follow(index.url(), horizon));
    }
    let mut expected = Expected::new();
    let mut uploaders = JoinSet::new();
    for uploader in 0..UPLOADERS {
        let project = match uploader % 2 {
            0 => format!("own-{uploader}"),
            _ => "shared".to_owned(),
        };
        let dists: Vec<_> = (0..FILES)
            .map(|file| format!("{uploader}.{file}"))
            .map(|version| (wheel(&project, &version, &Opts::default()), version))
            .collect();
        let files = expected.entry(project.clone()).or_default();
        files.extend(
            dists
                .iter()
                .map(|(dist, _)| (dist.filename.clone(), dist.sha256.clone())),
        );
        let url = index.url();
        uploaders.spawn(async move {
            let mut serials = Vec::new();
            for (dist, version) in dists {
                let answer = Form::of(&project, &version, &dist).send_to(&url).await?;
                ensure!(answer.status == 200, "{answer:?}");
                serials.extend(answer.serial);
            }
            // An answered upload is before whatever is sent after it.
            ensure!(serials.is_sorted_by(|a, b| a < b), "{serials:?}");
            anyhow::Ok(serials)
        });
    }
    let mut serials = BTreeSet::new();
    while let Some(done) = uploaders.join_next().await {
        serials.extend(done??);
    }
    ensure!(
        serials.len() == UPLOADERS * FILES,
        "a serial was told twice"
    );
    let mut polls = Vec::new();
    while let Some(done) = readers.join_next().await {
        polls.push(done??);
    }
    eprintln!(
        "{ROWS} rows in order for {} readers, in {polls:?} polls",
        polls.len()
    );
    checks::whole(&index, &expected).await
}

#[tokio::test]
async fn the_same_file_sent_twice_at_once_is_one_file() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let mut expected = Expected::new();
    for round in 0..10 {
        let version = format!("{round}.0");
        let dist = wheel("twin", &version, &Opts::default());
        let form = Form::of("twin", &version, &dist);
        let (one, other) = tokio::join!(form.send(&index), form.send(&index));
        let told = |answer: Answer| (answer.status, answer.serial, answer.page_sha256);
        let (one, other) = (told(one?), told(other?));
        ensure!(
            one.0 == 200 && one == other,
            "round {round}: {one:?} and {other:?}"
        );
        expected
            .entry("twin".to_owned())
            .or_default()
            .insert(dist.filename, dist.sha256);
    }
    let rows = "select count(*), count(distinct action) from changelog where kind = 'add-file'";
    ensure!(
        index.database().query(rows)? == "10|10",
        "a file was added twice"
    );
    checks::whole(&index, &expected).await
}

#[tokio::test]
async fn no_stage_sleeps_while_it_has_work() -> anyhow::Result<()> {
    let sink = PurgeSink::start()?;
    let address = free_address()?;
    let probe = format!("[[probe]]\nname = 'self'\nurl = 'http://{address}'\n");
    let index = TestIndex::with(Options {
        address: Some(address),
        settings: sink.settings("20ms") + &probe,
        ..Options::default()
    })?;
    let reader = Reader::new()?;
    let mut lags = Vec::new();
    for upload in 0..5 {
        let version = format!("{upload}.0");
        let dist = wheel("hurried", &version, &Opts::default());
        let answer = Form::of("hurried", &version, &dist).send(&index).await?;
        let answered = Instant::now();
        reader
            .wait_for(&index.url(), answer.serial.context("no serial")?)
            .await?;
        lags.push(answered.elapsed());
    }
    eprintln!("from answer to announcement, through two purges and a probe: {lags:?}");
    // The loops' poll, which covers for lost wake-ups, is 5 s. None of them may need it.
    let slowest = lags.iter().max().context("no uploads")?;
    ensure!(
        *slowest < Duration::from_secs(4),
        "a stage was not woken: {lags:?}"
    );
    Ok(())
}
