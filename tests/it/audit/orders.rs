//! What an audit says of everything that can be taken from a project, at each kind of target: before
//! it has heard of it, and after.

use std::fs;
use std::path::Path;

use anyhow::ensure;
use lockstep_tests::devpi::Devpi;
use lockstep_tests::index::{Options, TestIndex, client, free_address};
use lockstep_tests::pep381;
use lockstep_tests::purge_sink::settings;
use lockstep_tests::varnish::Pop;
use reqwest::Method;
use serde_json::{Value, json};

use super::folder::{copy, files_below, mirror};
use super::table::{Column, column};
use super::tamper::Folder;
use super::{page, upload};

/// Named for what is done to them.
const PROJECTS: [&str; 6] = [
    "fine",
    "file-gone",
    "hidden",
    "release-gone",
    "yanked",
    "removed",
];

/// Each project with two releases.
async fn fill(index: &TestIndex) -> anyhow::Result<()> {
    for project in PROJECTS {
        upload(index, project, "1.0").await?;
        upload(index, project, "1.1").await?;
    }
    index.settle()
}

/// Gives the orders, and waits until they are announced.
async fn order(index: &TestIndex) -> anyhow::Result<()> {
    for (method, path, body) in [
        (Method::DELETE, "removed", Value::Null),
        (
            Method::DELETE,
            "file-gone/files/file_gone-1.0-py3-none-any.whl",
            Value::Null,
        ),
        (
            Method::PUT,
            "hidden/status",
            json!({"status": "quarantined"}),
        ),
        (Method::DELETE, "release-gone/releases/1.0", Value::Null),
        (
            Method::POST,
            "yanked/releases/1.1/yank",
            json!({"reason": "<broken>"}),
        ),
    ] {
        index.order(method, path, &body).await?;
    }
    index.settle()
}

/// These are behind; the others exact.
fn behind(all: &[&str], behind: &[&str]) -> Column {
    let state = |project: &&str| {
        let state = if behind.contains(project) {
            "behind"
        } else {
            "exact"
        };
        ((*project).to_owned(), state.to_owned())
    };
    all.iter().map(state).collect()
}

/// What a mirror that has not heard of the orders looks like. It may keep what is removed.
fn not_yet() -> Column {
    behind(&PROJECTS[..5], &PROJECTS[1..5])
}

/// … and one that has.
fn done() -> Column {
    behind(&PROJECTS[..5], &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_whose_purges_are_lost_is_found_and_one_that_is_purged_is_exact()
-> anyhow::Result<()> {
    let address = free_address()?;
    // Nobody purges the second.
    let (told, deaf) = (Pop::start("told", address)?, Pop::start("deaf", address)?);
    let index = TestIndex::with(Options {
        address: Some(address),
        settings: settings("told", told.address(), "200ms"),
        ..Options::default()
    })?;
    fill(&index).await?;
    // With this both have every page.
    for pop in [&told, &deaf] {
        let found = column(&index, &pop.url(), &["--kind", "edge"])?;
        assert_eq!(found, behind(&PROJECTS, &[]), "{}", pop.name());
    }
    order(&index).await?;
    let found = column(&index, &told.url(), &["--kind", "edge"])?;
    assert_eq!(found, behind(&PROJECTS, &[]));
    let found = column(&index, &deaf.url(), &["--kind", "edge"])?;
    assert_eq!(found, behind(&PROJECTS, &PROJECTS[1..]));
    // A site that nobody says anything about might be an edge.
    let found = column(&index, &deaf.url(), &[])?;
    assert_eq!(found, behind(&PROJECTS, &PROJECTS[1..]));

    let keys = PROJECTS.map(|project| format!("project-{project}"));
    let purge = Method::from_bytes(b"PURGE")?;
    let purge = reqwest::Client::new().request(purge, deaf.url());
    let answer = purge.header("xkey-purge", keys.join(" ")).send().await?;
    ensure!(answer.status() == 200, "{answer:?}");
    let found = column(&index, &deaf.url(), &["--kind", "edge"])?;
    assert_eq!(found, behind(&PROJECTS, &[]));
    Ok(())
}

/// Both forms of these projects' pages, and the files.
async fn copy_all(index: &TestIndex, projects: &[&str], web: &Path) -> anyhow::Result<()> {
    for project in projects {
        copy(index, project, web).await?;
        let json = page(index, project, true).await?;
        fs::write(web.join("simple").join(project).join("index.v1_json"), json)?;
    }
    // Beside each wheel the document that the pages promise.
    for wheel in files_below(&web.join("packages"))? {
        let document = format!("{}.metadata", wheel.display());
        if wheel.extension().is_some_and(|it| it == "whl") && !Path::new(&document).exists() {
            let path = Path::new(&document).strip_prefix(web)?;
            let url = format!("{}/{}", index.url(), path.display());
            let answer = reqwest::get(url).await?.error_for_status()?;
            fs::write(&document, answer.bytes().await?)?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_over_http_is_behind_until_it_has_copied() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let folder = tempfile::tempdir()?;
    fill(&index).await?;
    copy_all(&index, &PROJECTS, folder.path()).await?;
    let site = Folder::serve(folder.path().to_owned()).await?;
    let found = column(&index, &site, &["--kind", "mirror"])?;
    assert_eq!(found, behind(&PROJECTS, &[]));
    order(&index).await?;
    assert_eq!(column(&index, &site, &["--kind", "mirror"])?, not_yet());
    copy_all(&index, &PROJECTS[..5], folder.path()).await?;
    assert_eq!(column(&index, &site, &["--kind", "mirror"])?, done());
    // It keeps the project that was removed, which is right for a mirror alone.
    let found = column(&index, &site, &[])?;
    assert_eq!(found, behind(&PROJECTS, &["removed"]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bandersnatch_does_not_hear_of_quarantine_and_the_audit_says_so() -> anyhow::Result<()> {
    let Some(bandersnatch) = client("bandersnatch8", "bandersnatch")? else {
        return Ok(());
    };
    let index = TestIndex::start()?;
    let folder = tempfile::tempdir()?;
    let tree = folder.path().join("mirror").display().to_string();
    fill(&index).await?;
    mirror(&bandersnatch, &index, folder.path())?;
    assert_eq!(column(&index, &tree, &[])?, behind(&PROJECTS, &[]));
    order(&index).await?;
    assert_eq!(column(&index, &tree, &[])?, not_yet());
    mirror(&bandersnatch, &index, folder.path())?;
    let found = column(&index, &tree, &[])?;
    assert_eq!(found, behind(&PROJECTS[..5], &["hidden"]));
    // What an operator does who does not want to show it.
    let web = folder.path().join("mirror/web");
    fs::remove_dir_all(web.join("simple/hidden"))?;
    fs::remove_dir_all(web.join("pypi/hidden"))?;
    fs::remove_file(web.join("json/hidden"))?;
    let found = column(&index, &tree, &[])?;
    assert_eq!(found["hidden"], "exact", "{found:?}");
    let cleared = json!({"status": "active"});
    index.order(Method::PUT, "hidden/status", &cleared).await?;
    index.settle()?;
    assert_eq!(column(&index, &tree, &[])?["hidden"], "missing");
    mirror(&bandersnatch, &index, folder.path())?;
    assert_eq!(column(&index, &tree, &[])?, done());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pep381client_hears_of_every_order() -> anyhow::Result<()> {
    let Some(python) = client("pep381", "python2.7")? else {
        return Ok(());
    };
    let index = TestIndex::start()?;
    let folder = tempfile::tempdir()?;
    let mirror = folder.path().join("mirror");
    let tree = mirror.display().to_string();
    fill(&index).await?;
    pep381::synchronize(&python, index.address(), &mirror)?;
    assert_eq!(column(&index, &tree, &[])?, behind(&PROJECTS, &[]));
    order(&index).await?;
    assert_eq!(column(&index, &tree, &[])?, not_yet());
    // The second time there is nothing to do.
    for _ in 0..2 {
        pep381::synchronize(&python, index.address(), &mirror)?;
        assert_eq!(column(&index, &tree, &[])?, done());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_devpi_mirror_index_is_behind_until_it_has_asked_again() -> anyhow::Result<()> {
    let Some(program) = client("devpi", "devpi-server")? else {
        return Ok(());
    };
    let index = TestIndex::start()?;
    let folder = tempfile::tempdir()?;
    fill(&index).await?;
    let devpi = Devpi::start(&program, folder.path()).await?;
    let simple = devpi.mirror(&format!("{}/simple/", index.url())).await?;
    assert_eq!(column(&index, &simple, &[])?, behind(&PROJECTS, &[]));
    order(&index).await?;
    assert_eq!(column(&index, &simple, &[])?, not_yet());
    for project in PROJECTS {
        // As if the hour for which it keeps pages were over. It says that it can't have the last.
        let refresh = format!("{simple}{project}/refresh");
        reqwest::Client::new().post(refresh).send().await?;
    }
    assert_eq!(column(&index, &simple, &[])?, done());
    Ok(())
}
