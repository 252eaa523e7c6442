//! `lockstep purge`: once more to every CDN, and no mark goes back.

use anyhow::ensure;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::purge_sink::PurgeSink;
use lockstep_tests::reader::Reader;

use super::{By, remove_project};
use crate::crash::index;

#[tokio::test]
async fn purges_are_queued_again_and_hold_back_only_what_is_newer() -> anyhow::Result<()> {
    let sink = PurgeSink::start()?;
    let index = index(&sink, None)?;
    for name in ["first", "second", "gone"] {
        let dist = wheel(name, "1.0", &Opts::default());
        let answer = Form::of(name, "1.0", &dist).send(&index).await?;
        ensure!(answer.status == 200, "{answer:?}");
    }
    remove_project("gone").give(&index, By::Command).await?;
    index.settle()?;
    let new = |seen: usize| {
        let mut keys: Vec<String> = sink.purges()[seen..]
            .iter()
            .flat_map(|it| it.split(' ').map(str::to_owned).collect::<Vec<_>>())
            .collect();
        keys.sort();
        keys
    };

    let seen = sink.purges().len();
    let said = index.lockstep(&["purge", "First", "gone"])?;
    ensure!(said == "queued the purges of 2 projects\n", "{said}");
    index.settle()?;
    let mut wanted = vec!["project-first"; 2];
    wanted.extend(["project-gone"; 2]);
    ensure!(new(seen) == wanted, "{:?}", new(seen));

    // The CDN is down: what was announced stays so, what is newer waits.
    sink.say(503);
    let reader = Reader::new()?;
    let said = index.lockstep(&["purge", "--since", "3"])?;
    ensure!(said == "queued the purges of 2 projects\n", "{said}");
    let dist = wheel("first", "2.0", &Opts::default());
    let answer = Form::of("first", "2.0", &dist).send(&index).await?;
    ensure!(answer.serial == Some(12), "{answer:?}");
    let state = reader.state(&index.url()).await?;
    ensure!(state["committed-serial"] == 12, "{state}");
    for mark in ["purged-serial", "verified-serial", "announced-serial"] {
        ensure!(state[mark] == 10, "{mark}: {state}");
    }
    let seen = sink.purges().len();
    sink.say(200);
    index.settle()?;
    let keys = new(seen);
    for key in ["project-second", "project-gone"] {
        ensure!(keys.iter().filter(|it| *it == key).count() >= 2, "{keys:?}");
    }
    let rows = index.database().query("select count(*) from changelog")?;
    ensure!(rows == "12", "a purge is no change: {rows} rows");
    index.fsck()
}

#[tokio::test]
async fn nothing_to_purge_is_no_error() -> anyhow::Result<()> {
    let sink = PurgeSink::start()?;
    let index = index(&sink, None)?;
    let said = index.lockstep(&["purge", "--since", "0"])?;
    ensure!(said == "queued the purges of 0 projects\n", "{said}");
    Ok(())
}
