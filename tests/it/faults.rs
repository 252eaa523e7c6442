//! The fault table: every point of the data's way × {error, slow}. An error before an effect is "failed
//! and did not happen", after it "failed but happened"; both end the same way: what the client sends
//! again is 200, nothing is half there, nothing is lost. And what is done while the edge is stale. Kills are
//! in `crash`, more of stale edges in `races`.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, ensure};
use lockstep_server::fault::POINTS;
use lockstep_server::postgres::{Durability, PrivatePostgres};
use lockstep_tests::checks::{self, Expected};
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::fastly::{FakeFastly, Fault};
use lockstep_tests::form::Form;
use lockstep_tests::index::{Options, TestIndex, free_address};
use lockstep_tests::purge_sink::PurgeSink;
use lockstep_tests::reader::Reader;
use lockstep_tests::varnish::Pop;

use super::crash::{expect, index};

/// Sends an upload until it is answered 200, as clients do after 5xx; returns all answers.
async fn send_until_taken(form: &Form, index: &TestIndex) -> anyhow::Result<Vec<u16>> {
    let mut answers = Vec::new();
    for _ in 0..40 {
        let status = form.send(index).await.map_or(0, |answer| answer.status);
        answers.push(status);
        if status == 200 {
            return Ok(answers);
        }
        ensure!(status == 0 || status >= 500, "refused: {answers:?}");
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    anyhow::bail!("never taken: {answers:?}")
}

async fn case(point: &str, kind: &str) -> anyhow::Result<()> {
    let sink = PurgeSink::start()?;
    let index = index(&sink, Some(&format!("{point}:{kind}")))?;
    let dist = wheel("fault", "1.0", &Opts::default());
    let answers = send_until_taken(&Form::of("fault", "1.0", &dist), &index).await?;
    let mut expected = Expected::new();
    expect(&mut expected, "fault", &dist);
    checks::whole(&index, &expected).await?;
    let rows = index.database().query("select count(*) from changelog")?;
    ensure!(rows == "3", "{rows} rows for one upload");
    eprintln!(
        "FAULT {point:<18} {kind:<6} answers {answers:?}, purge calls {}",
        sink.purges().len()
    );
    Ok(())
}

#[tokio::test]
async fn a_step_that_fails_is_repeated_until_it_is_done() -> anyhow::Result<()> {
    for point in POINTS {
        case(point, "error")
            .await
            .with_context(|| format!("error at {point}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_step_that_dawdles_holds_up_nothing_for_ever() -> anyhow::Result<()> {
    for point in POINTS {
        case(point, "slow")
            .await
            .with_context(|| format!("slow at {point}"))?;
    }
    Ok(())
}

/// The purge is done, as far as its answers tell, and the edge keeps the old page: both passes vanish.
/// A look finds it, it is purged again, and only then is anybody told.
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_that_is_done_and_leaves_the_edge_stale_is_found_and_repeated() -> anyhow::Result<()>
{
    let origin = free_address()?;
    let pop = Pop::start("pop-1", origin)?;
    let fastly = FakeFastly::start(vec![(pop.url(), std::time::Duration::ZERO)]).await?;
    let probe = format!("[[probe]]\nname='pop-1'\nurl='{}'\n", pop.url());
    let index = TestIndex::with(Options {
        address: Some(origin),
        public_url: Some(pop.url()),
        settings: fastly.settings("200ms") + &probe,
        ..Options::default()
    })?;
    let reader = Reader::new()?;
    let old = wheel("fault", "1.0", &Opts::default());
    send_until_taken(&Form::of("fault", "1.0", &old), &index).await?;
    index.settle()?;
    let calls = fastly.calls();

    fastly.fail_next([Fault::Lost; 2]);
    let new = wheel("fault", "2.0", &Opts::default());
    send_until_taken(&Form::of("fault", "2.0", &new), &index).await?;
    reader.wait_for(&index.url(), 5).await?;
    // Told: so the edge is right, whatever the answers of the API were worth.
    let mut expected = Expected::new();
    expect(&mut expected, "fault", &old);
    expect(&mut expected, "fault", &new);
    let shown = checks::files_shown(&reader, &pop.url(), "fault").await?;
    ensure!(shown == expected["fault"], "the edge shows {shown:?}");
    checks::whole(&index, &expected).await?;
    let stale = index
        .database()
        .query("select max(stale) from verifications")?;
    ensure!(stale != "0", "no look found the old page");
    ensure!(
        index.log().contains("an old page after all purges"),
        "{}",
        index.log()
    );
    let calls = fastly.calls() - calls;
    ensure!(calls >= 3, "two passes and one more, not {calls}");
    eprintln!(
        "FAULT purge done, edge stale: found by {stale} looks, {calls} purge calls, then told"
    );
    Ok(())
}

/// PostgreSQL dies without a word (SIGQUIT: immediate shutdown) amid uploads, and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn postgresql_dies_amid_uploads_and_loses_nothing_that_was_answered() -> anyhow::Result<()> {
    // Where the `postgres` user can reach it, whoever runs the tests.
    let folder = tempfile::Builder::new().permissions(open()).tempdir()?;
    let postgres = PrivatePostgres::start(folder.path(), Durability::Safe)?;
    let options = Options {
        cluster: Some(postgres.url("postgres")),
        ..Options::default()
    };
    let index = TestIndex::with(options)?;
    let dists: Vec<_> = (0..40)
        .map(|n| {
            let project = format!("quit-{n}");
            let dist = wheel(&project, "1.0", &Opts::default());
            (project, dist)
        })
        .collect();
    let pid_file = folder.path().join("postgres/postmaster.pid");
    let pid = fs::read_to_string(pid_file)?
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned();
    let mut answered = Vec::new();
    for (n, (project, dist)) in dists.iter().enumerate() {
        if n == 20 {
            ensure!(
                Command::new("kill")
                    .args(["-QUIT", &pid])
                    .status()?
                    .success()
            );
        }
        let answer = Form::of(project, "1.0", dist).send(&index).await?;
        ensure!([200, 503].contains(&answer.status), "{answer:?}");
        if answer.status == 200 {
            answered.push(project.clone());
        }
    }
    ensure!(
        answered.len() >= 20 && answered.len() < 40,
        "{} answered",
        answered.len()
    );
    drop(postgres);
    let postgres = PrivatePostgres::start(folder.path(), Durability::Safe)?;
    let mut expected = Expected::new();
    for (project, dist) in &dists {
        // Before anything is sent again: what was answered 200 is there.
        let url = format!("{}/simple/{project}/", index.url());
        let there = reqwest::get(url).await?.status().as_u16();
        ensure!(
            there == 200 || !answered.contains(project),
            "{project} was answered and is lost"
        );
        send_until_taken(&Form::of(project, "1.0", dist), &index).await?;
        expect(&mut expected, project, dist);
    }
    checks::whole(&index, &expected).await?;
    eprintln!(
        "FAULT postgresql SIGQUIT: {} of 40 answered before and after, all there",
        answered.len()
    );
    drop(index);
    postgres.stop()?;
    Ok(())
}

fn open() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    fs::Permissions::from_mode(0o755)
}
