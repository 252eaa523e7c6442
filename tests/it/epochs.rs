//! Serial epochs: a database restored from an older backup never gives a serial twice, and what lost
//! serials said is nowhere taken for true.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context as _, ensure};
use lockstep_server::fault::RESTORE_POINTS;
use lockstep_tests::checks;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::edge::Edge;
use lockstep_tests::form::Form;
use lockstep_tests::index::{TestIndex, binary, client};
use lockstep_tests::reader::{JSON, Reader};
use serde_json::Value;

use crate::audit::{Column, column, copy, mirror};

async fn upload(index: &TestIndex, project: &str, version: &str) -> anyhow::Result<u64> {
    let dist = wheel(project, version, &Opts::default());
    let answer = Form::of(project, version, &dist).send(index).await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(answer.serial.unwrap_or(0))
}

/// Backed up with `kept` (serials 1 to 3) and `quiet` (4 to 6); `kept` 2.0 and `lost` came after it,
/// were announced up to serial 11, and are lost.
async fn restored_from_an_older_backup(index: &mut TestIndex) -> anyhow::Result<()> {
    upload(index, "kept", "1.0").await?;
    upload(index, "quiet", "1.0").await?;
    index.settle()?;
    ensure!(index.stop()?);
    index.database().back_up()?;
    index.restart()?;
    ensure!(upload(index, "kept", "2.0").await? == 8);
    ensure!(upload(index, "lost", "1.0").await? == 11);
    index.settle()
}

fn restore(index: &mut TestIndex) -> anyhow::Result<()> {
    ensure!(index.stop()?);
    index.database().restore()
}

/// The list as a mirror reads it: each project with its last serial.
async fn list(reader: &Reader, base: &str) -> anyhow::Result<BTreeMap<String, u64>> {
    let answer = reader
        .variant(&format!("{base}/simple/"), (JSON, false))
        .await?;
    let list = answer.json()?;
    let projects = list["projects"].as_array().context("no projects")?;
    let entry = |project: &Value| {
        let name = project["name"].as_str().unwrap_or_default().to_owned();
        (name, project["_last-serial"].as_u64().unwrap_or(0))
    };
    Ok(projects.iter().map(entry).collect())
}

#[tokio::test]
async fn serials_of_a_lost_database_are_given_up_and_never_given_again() -> anyhow::Result<()> {
    let mut index = TestIndex::start()?;
    restored_from_an_older_backup(&mut index).await?;
    restore(&mut index)?;

    // The restored database knows nothing of serials 7 to 11, which mirrors have been told.
    let refused = index
        .restart()
        .expect_err("serials would be given twice")
        .to_string();
    assert!(
        refused.contains("serials up to 11 have been announced"),
        "{refused}"
    );
    assert!(refused.contains("lockstep advance-serial"), "{refused}");

    // Nor does a command that writes.
    for command in [&["yank", "kept", "1.0"][..], &["purge", "kept"]] {
        let refused = index.try_lockstep(command)?;
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{text}");
        assert!(text.contains("lockstep advance-serial"), "{text}");
    }

    let said = index.lockstep(&["advance-serial"])?;
    assert_eq!(
        said,
        "5 lost serials given up, 3 projects told anew; the next serial is 15\n"
    );
    let again = index.lockstep(&["advance-serial"])?;
    assert!(again.contains("no serial is lost"), "{again}");
    index.restart()?;
    assert_eq!(upload(&index, "novel", "1.0").await?, 17);
    index.settle()?;

    let rows = Reader::new()?.changelog(&index.url()).await?;
    let told = |row: &Value| {
        let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
        (
            text("kind"),
            text("project"),
            row["page"]["serial"].as_u64(),
        )
    };
    let told: Vec<_> = rows[6..14].iter().map(told).collect();
    let lost = || ("serial-lost".to_owned(), String::new(), None);
    let anew = |project: &str, page| ("restore".to_owned(), project.to_owned(), page);
    let mut expected = vec![lost(), lost(), lost(), lost(), lost()];
    // In whichever order; a project that only lost serials spoke of is told to be gone.
    let mut last: Vec<_> = told[5..].to_vec();
    last.sort();
    let page = |project: &str| {
        last.iter()
            .find(|row| row.1 == project)
            .and_then(|row| row.2)
    };
    expected.extend([
        anew("kept", page("kept")),
        anew("lost", None),
        anew("quiet", page("quiet")),
    ]);
    assert_eq!([&told[..5], &last[..]].concat(), expected);
    assert!(
        page("kept") > Some(11) && page("quiet") > Some(11),
        "{last:?}"
    );
    index.fsck()
}

#[tokio::test(flavor = "multi_thread")]
async fn mirrors_and_edges_forget_what_lost_serials_said() -> anyhow::Result<()> {
    let mut edge = Edge::start()?;
    let reader = Reader::new()?;
    restored_from_an_older_backup(&mut edge.index).await?;
    reader.wait_for_page(&edge.page("kept")).await?;
    // A mirror that is up to date, and an edge that has all pages of the lost serials.
    let held = list(&reader, &edge.index.url()).await?;
    for (project, files) in [("kept", 2), ("quiet", 1), ("lost", 1)] {
        let shown = checks::files_shown(&reader, &edge.pop.url(), project).await?;
        ensure!(shown.len() == files, "{project}: {shown:?}");
    }
    restore(&mut edge.index)?;
    edge.index.lockstep(&["advance-serial"])?;
    edge.index.restart()?;
    edge.index.settle()?;

    reader.wait_for_page(&edge.page("kept")).await?;
    // The mirror compares serials, as bandersnatch does: it looks at every project again.
    let listed = list(&reader, &edge.index.url()).await?;
    ensure!(listed.keys().eq(["kept", "quiet"]), "{listed:?}");
    for (project, serial) in &listed {
        ensure!(
            serial > &11 && *serial > held[project],
            "{project}: {listed:?}, had {held:?}"
        );
        let shown = checks::files_shown(&reader, &edge.pop.url(), project).await?;
        ensure!(shown.len() == 1, "{project} at the edge: {shown:?}");
    }
    let gone = reader.get(&edge.page("lost")).await?;
    assert_eq!(gone.status, 404, "an edge shows a project that is lost");
    let audited = Command::new(binary())
        .args(["audit", &edge.pop.url(), "--index", &edge.index.url()])
        .output()?;
    ensure!(audited.status.success(), "{audited:?}");
    edge.index.fsck()
}

/// An older backup put in place under a running process ends it: the next start says what to do.
#[tokio::test]
async fn a_database_that_goes_back_under_a_running_process_ends_it() -> anyhow::Result<()> {
    let mut index = TestIndex::start()?;
    restored_from_an_older_backup(&mut index).await?;
    index.database().restore_by_force()?;
    index.wait_for_death()?;
    ensure!(
        index.log().contains("it was restored from an older backup"),
        "{}",
        index.log()
    );
    let refused = index.restart().expect_err("it starts").to_string();
    ensure!(refused.contains("lockstep advance-serial"), "{refused}");
    index.lockstep(&["advance-serial"])?;
    index.restart()?;
    index.settle()?;
    index.fsck()
}

/// Nobody knows any more what the lost serials said, so what a mirror holds of them is no state of
/// the index; what it holds from before is behind.
#[tokio::test(flavor = "multi_thread")]
async fn the_audit_finds_what_lost_serials_said_until_mirrors_have_run() -> anyhow::Result<()> {
    let mut index = TestIndex::start()?;
    let folder = tempfile::tempdir()?;
    let web = folder.path().join("copies/web");
    let copies = web.display().to_string();
    let rendered = folder.path().join("mirror").display().to_string();
    let bandersnatch = client("bandersnatch8", "bandersnatch")?;
    let mirrors = |index: &TestIndex| -> anyhow::Result<Vec<Column>> {
        let mut found = vec![column(index, &copies, &["--kind", "pep381"])?];
        if bandersnatch.is_some() {
            found.push(column(index, &rendered, &[])?);
        }
        Ok(found)
    };
    let states = |states: &[(&str, &str)]| -> Column {
        let owned = |&(project, state): &(&str, &str)| (project.to_owned(), state.to_owned());
        states.iter().map(owned).collect()
    };
    restored_from_an_older_backup(&mut index).await?;
    for project in ["kept", "quiet", "lost"] {
        copy(&index, project, &web).await?;
    }
    if let Some(program) = &bandersnatch {
        mirror(program, &index, folder.path())?;
    }
    for found in mirrors(&index)? {
        assert_eq!(
            found,
            states(&[("kept", "exact"), ("lost", "exact"), ("quiet", "exact")])
        );
    }
    restore(&mut index)?;
    index.lockstep(&["advance-serial"])?;
    index.restart()?;
    index.settle()?;
    for found in mirrors(&index)? {
        assert_eq!(found, states(&[("kept", "different"), ("quiet", "behind")]));
    }
    for project in ["kept", "quiet"] {
        copy(&index, project, &web).await?;
    }
    if let Some(program) = &bandersnatch {
        mirror(program, &index, folder.path())?;
    }
    for found in mirrors(&index)? {
        assert_eq!(found, states(&[("kept", "exact"), ("quiet", "exact")]));
    }
    index.fsck()
}

/// Killed at any point, the same command goes on; until it has ended, nobody is served.
#[tokio::test]
async fn a_kill_amid_it_is_mended_by_the_same_command() -> anyhow::Result<()> {
    let amid_a_row = ["commit.rendered", "commit.appended", "commit.committed"];
    for point in RESTORE_POINTS.iter().chain(&amid_a_row) {
        let mut index = TestIndex::start()?;
        restored_from_an_older_backup(&mut index).await?;
        restore(&mut index)?;
        let fault = ("LOCKSTEP_FAULT".to_owned(), (*point).to_owned());
        index.options.environment.push(fault);
        let killed = index.try_lockstep(&["advance-serial"])?;
        ensure!(!killed.status.success(), "it does not pass {point}");
        index.options.environment.clear();
        let refused = index.restart().expect_err(point).to_string();
        ensure!(
            refused.contains("lockstep advance-serial"),
            "{point}: {refused}"
        );
        let said = index.lockstep(&["advance-serial"])?;
        ensure!(
            said.contains("told anew; the next serial is"),
            "{point}: {said}"
        );
        index.restart()?;
        index.settle()?;
        let listed = list(&Reader::new()?, &index.url()).await?;
        ensure!(
            listed.keys().eq(["kept", "quiet"]) && listed.values().all(|serial| *serial > 11),
            "{point}: {listed:?}"
        );
        let rows = index
            .database()
            .query("select count(*) from changelog where kind = 'restore' group by project_id")?;
        ensure!(rows == "1\n1\n1", "{point}: {rows}");
        index.fsck()?;
        eprintln!("FAULT {point:<18} kill   refused until mended by the same command");
    }
    Ok(())
}
