//! Orders and uploads to one project at once. Whatever their order becomes, the changelog tells it: what
//! its rows add and remove is what the page shows.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use lockstep_core::digest::Sha256;
use lockstep_tests::checks::{self, Expected};
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::TestIndex;
use lockstep_tests::purge_sink::PurgeSink;
use lockstep_tests::reader::Reader;
use serde_json::Value;
use tokio::task::JoinSet;

use super::{By, Order, remove_project, status, unyank, yank};
use crate::crash::index;

const PROJECT: &str = "raced";

/// Walks over the changelog and asserts each row by what came before it; returns what is left of each
/// project, and the last row.
async fn fold(index: &TestIndex) -> anyhow::Result<(Expected, Vec<Value>)> {
    let rows = Reader::new()?.changelog(&index.url()).await?;
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for (position, row) in rows.iter().enumerate() {
        ensure!(row["serial"] == position + 1, "not dense: {row}");
        for (name, hash) in row["files"]["removed"].as_object().context("removed")? {
            let there = files.remove(name);
            ensure!(
                there.as_deref() == hash.as_str(),
                "{name} was not there: {row}"
            );
        }
        for (name, hash) in row["files"]["added"].as_object().context("added")? {
            let hash = hash.as_str().context("a hash")?.to_owned();
            ensure!(files.insert(name.clone(), hash).is_none(), "twice: {row}");
        }
        // Rows of one transaction show its end.
        let page = &row["page"]["serial"];
        if page.is_null() || *page == row["serial"] {
            let lines = files.iter().map(|(k, v)| format!("{v}  {k}\n"));
            let lines: Vec<String> = lines.collect();
            let hash = Sha256::of(lines.concat().as_bytes()).to_string();
            ensure!(
                row["files"]["sha256"] == hash,
                "other files than the rows': {row}"
            );
        }
    }
    Ok((Expected::from([(PROJECT.to_owned(), files)]), rows))
}

/// Uploads versions, of which some may be refused, while `orders` are given one after the other.
async fn race(orders: Vec<Order>, may: &'static [u16], order_may: &[u16]) -> anyhow::Result<()> {
    let sink = PurgeSink::start()?;
    let index = index(&sink, None)?;
    let first = wheel(PROJECT, "1.0", &Opts::default());
    ensure!(Form::of(PROJECT, "1.0", &first).send(&index).await?.status == 200);
    let mut uploaders = JoinSet::new();
    for uploader in 0..3 {
        let url = index.url();
        uploaders.spawn(async move {
            let mut answers = Vec::new();
            for n in 0..6 {
                let version = format!("{}.{n}", uploader + 2);
                let dist = wheel(PROJECT, &version, &Opts::default());
                let answer = Form::of(PROJECT, &version, &dist).send_to(&url).await?;
                ensure!(may.contains(&answer.status), "{answer:?}");
                answers.push(answer.status);
            }
            anyhow::Ok(answers)
        });
    }
    let mut given = Vec::new();
    for order in &orders {
        let got = order.send(&index.url()).await?;
        ensure!(order_may.contains(&got.status), "{order:?}: {}", got.text());
        given.push(got.status);
    }
    let mut answers = Vec::new();
    while let Some(done) = uploaders.join_next().await {
        answers.extend(done??);
    }
    index.settle()?;
    let (expected, rows) = fold(&index).await?;
    let taken = answers.iter().filter(|it| **it == 200).count() + 1;
    let added = rows.iter().filter(|it| it["kind"] == "add-file").count();
    ensure!(added == taken, "{added} rows for {taken} uploads");
    eprintln!(
        "RACED {PROJECT}: orders {given:?}, uploads {answers:?}, {} rows",
        rows.len()
    );
    let gone = rows.last().is_some_and(|row| row["page"].is_null());
    if gone {
        checks::whole(&index, &Expected::new()).await
    } else {
        checks::whole(&index, &expected).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_yank_and_uploads_at_once() -> anyhow::Result<()> {
    let mut orders = Vec::new();
    for n in 0..6 {
        orders.push(yank(PROJECT, "1.0", Some(&format!("reason {n}"))));
        orders.push(unyank(PROJECT, "1.0"));
    }
    race(orders, &[200], &[200]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removals_of_a_project_and_uploads_at_once() -> anyhow::Result<()> {
    race(vec![remove_project(PROJECT); 8], &[200], &[200, 404]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quarantine_and_uploads_at_once() -> anyhow::Result<()> {
    let mut orders = Vec::new();
    for _ in 0..6 {
        orders.push(status(PROJECT, "quarantined", Some("thought harmful")));
        orders.push(status(PROJECT, "active", None));
    }
    race(orders, &[200, 403], &[200]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_order_at_once_is_one_row() -> anyhow::Result<()> {
    let sink = PurgeSink::start()?;
    let index = index(&sink, None)?;
    let first = wheel(PROJECT, "1.0", &Opts::default());
    ensure!(Form::of(PROJECT, "1.0", &first).send(&index).await?.status == 200);
    let mut orders = JoinSet::new();
    for _ in 0..6 {
        let (url, order) = (index.url(), yank(PROJECT, "1.0", Some("broken")));
        orders.spawn(async move { order.send(&url).await?.json() });
    }
    let by_command = yank(PROJECT, "1.0", Some("broken"));
    let told = by_command.give(&index, By::Command).await?;
    while let Some(answer) = orders.join_next().await {
        ensure!(super::told(&answer??)? == told, "one serial, one page");
    }
    ensure!(told.serial == 4, "{told:?}");
    index.settle()?;
    let (expected, rows) = fold(&index).await?;
    ensure!(rows.len() == 4, "{rows:?}");
    checks::whole(&index, &expected).await
}
