//! Kills amid an order: all of it is there or none, given again it is done, no purge is lost.

use anyhow::{Context as _, ensure};
use lockstep_server::fault::POINTS;
use lockstep_tests::checks::{self, Expected};
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::TestIndex;
use lockstep_tests::purge_sink::PurgeSink;

use super::{By, Order, remove_project, status, yank};
use crate::crash::{expect, index};

const PROJECT: &str = "crash-me";

async fn uploaded(sink: &PurgeSink) -> anyhow::Result<(TestIndex, Expected)> {
    let index = index(sink, None)?;
    let dist = wheel(PROJECT, "1.0", &Opts::default());
    let answer = Form::of(PROJECT, "1.0", &dist).send(&index).await?;
    ensure!(answer.status == 200, "{answer:?}");
    index.settle()?;
    let mut expected = Expected::new();
    expect(&mut expected, PROJECT, &dist);
    Ok((index, expected))
}

/// How many of the order's rows are there, each with its duty to purge.
fn found(index: &TestIndex) -> anyhow::Result<u64> {
    let rows = index
        .database()
        .query("select (select count(*) - 3 from changelog), (select count(*) - 1 from outbox)")?;
    let (rows, duties) = rows.split_once('|').context("two numbers")?;
    ensure!(rows == duties, "{rows} rows, {duties} duties");
    Ok(rows.parse()?)
}

fn is_past_commit(point: &str) -> bool {
    let at = |name: &str| POINTS.iter().position(|it| *it == name);
    at(point) >= at("commit.committed")
}

async fn kill_at(point: &str, order: &Order) -> anyhow::Result<()> {
    let sink = PurgeSink::start()?;
    let (mut index, mut expected) = uploaded(&sink).await?;
    index.options.fault = Some(point.to_owned());
    index.restart()?;
    let answered = order
        .send(&index.url())
        .await
        .is_ok_and(|it| it.status == 200);
    index.wait_for_death()?;
    let rows = found(&index)?;
    ensure!(rows == u64::from(is_past_commit(point)), "{rows} rows");
    ensure!(rows == 1 || !answered, "answered, and lost");

    index.options.fault = None;
    index.expire_leases()?;
    index.restart()?;
    let again = order.send(&index.url()).await?;
    if rows == 1 && *order == remove_project(PROJECT) {
        // As after any answer that was lost: it says that it is done.
        ensure!(again.status == 404, "{}", again.text());
        ensure!(
            again.text().contains("was removed, at serial 4"),
            "{}",
            again.text()
        );
    } else {
        ensure!(again.status == 200, "{}", again.text());
        ensure!(again.json()?["serial"] == 4, "{}", again.text());
    }
    if *order == remove_project(PROJECT) {
        expected.clear();
    }
    checks::whole(&index, &expected).await?;
    ensure!(found(&index)? == 1, "once");
    ensure!(
        sink.purges().len() >= 4,
        "two passes each: {:?}",
        sink.purges()
    );
    Ok(())
}

#[tokio::test]
async fn a_kill_at_any_point_leaves_all_of_a_yank_or_none() -> anyhow::Result<()> {
    // What comes after the commit does not know what was committed: one point a stage.
    let later = ["purge.called", "verify.looked", "announce.settled"];
    let here = POINTS.iter().filter(|it| it.starts_with("commit."));
    for point in here.copied().chain(later) {
        kill_at(point, &yank(PROJECT, "1.0", Some("broken")))
            .await
            .with_context(|| format!("killed at {point}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_kill_leaves_all_of_a_removal_or_none() -> anyhow::Result<()> {
    for point in [
        "commit.serials",
        "commit.appended",
        "commit.committed",
        "verify.looked",
    ] {
        kill_at(point, &remove_project(PROJECT))
            .await
            .with_context(|| format!("killed at {point}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_command_that_is_killed_did_all_or_nothing() -> anyhow::Result<()> {
    let sink = PurgeSink::start()?;
    let (mut index, mut expected) = uploaded(&sink).await?;
    let order = status(PROJECT, "quarantined", None);
    let arguments: Vec<&str> = order.arguments.iter().map(String::as_str).collect();
    for (point, rows) in [("commit.appended", 0), ("commit.committed", 1)] {
        let fault = ("LOCKSTEP_FAULT".to_owned(), point.to_owned());
        index.options.environment = vec![fault];
        let output = index.try_lockstep(&arguments)?;
        ensure!(output.status.code().is_none(), "{point}: {output:?}");
        ensure!(found(&index)? == rows, "killed at {point}");
    }
    index.options.environment.clear();
    let told = order.give(&index, By::Command).await?;
    ensure!(told.serial == 4, "{told:?}");
    expected.insert(PROJECT.to_owned(), std::collections::BTreeMap::new());
    checks::whole(&index, &expected).await
}
