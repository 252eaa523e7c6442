//! What can be wrong with a mirror, in each kind of mirror: every cell of the table is found, and
//! nothing is found before.
//!
//! A project per fault, so that one audit sees a whole column. Faults of sites are made on the way to
//! the index ([`super::tamper`]), faults of folders in the folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use lockstep_tests::devpi::Devpi;
use lockstep_tests::index::{TestIndex, client};
use lockstep_tests::varnish::Pop;

use super::folder::{copy, files_below, mirror, mirror_again};
use super::tamper::{Fault, Folder, Way};
use super::{audit, page, upload};

/// Projects whose page has changed once.
const CHANGED: [&str; 2] = ["old-page", "old-json"];
const PROJECTS: [&str; 7] = [
    "fine",
    "missing-file",
    "old-json",
    "old-page",
    "tampered-file",
    "truncated-file",
    "wrong-metadata",
];

/// State by project.
pub(crate) type Column = BTreeMap<String, String>;

/// What an audit says of each project.
pub(crate) fn column(index: &TestIndex, target: &str, more: &[&str]) -> anyhow::Result<Column> {
    let said = audit(&index.url(), target, &[more, &["--json"]].concat())?;
    let document = said.json()?;
    let projects = document["projects"].as_array().context("no projects")?;
    let state = |project: &serde_json::Value| {
        let name = project["project"].as_str()?.to_owned();
        // Files are named, each with its problem.
        let files = project["files"].as_array().into_iter().flatten();
        let problems = files.filter_map(|file| file["problem"].as_str());
        let words: Vec<&str> = project["state"]
            .as_str()
            .into_iter()
            .chain(problems)
            .collect();
        Some((name, words.join("/")))
    };
    let column: Column = projects.iter().filter_map(state).collect();
    let fine = column.values().all(|state| state == "exact");
    ensure!(said.code == i32::from(!fine), "{said:?}");
    Ok(column)
}

fn all_exact() -> Column {
    PROJECTS
        .map(|project| (project.to_owned(), "exact".to_owned()))
        .into()
}

/// `all_exact`, but for these.
fn with(faults: &[(&str, &str)]) -> Column {
    let mut column = all_exact();
    for (project, state) in faults {
        column.insert((*project).to_owned(), (*state).to_owned());
    }
    column
}

/// Every fault there is, as found wherever files and both forms of the page are kept.
fn every_fault() -> Column {
    with(&[
        ("missing-file", "different/missing"),
        ("old-json", "behind"),
        ("old-page", "behind"),
        ("tampered-file", "different/different"),
        ("truncated-file", "different/different"),
        ("wrong-metadata", "different/different"),
    ])
}

fn print(name: &str, column: &Column) {
    let cells: Vec<String> = column
        .iter()
        .map(|(project, state)| format!("{project}: {state}"))
        .collect();
    eprintln!("{name:24} {}", cells.join(", "));
}

/// An index with every project at 1.0.
async fn index() -> anyhow::Result<TestIndex> {
    let index = TestIndex::start()?;
    for project in PROJECTS {
        upload(&index, project, "1.0").await?;
    }
    index.settle()?;
    Ok(index)
}

/// Changes the pages of which an old one is put back later.
async fn change(index: &TestIndex) -> anyhow::Result<()> {
    for project in CHANGED {
        upload(index, project, "1.1").await?;
    }
    index.settle()
}

fn wheel_of(project: &str) -> String {
    format!("{}-1.0-py3-none-any.whl", project.replace('-', "_"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_found_at_an_edge_and_in_a_copy_over_http() -> anyhow::Result<()> {
    let index = index().await?;
    let old = [
        page(&index, "old-page", false).await?,
        page(&index, "old-page", true).await?,
        page(&index, "old-json", true).await?,
    ];
    change(&index).await?;
    let way = Way::start(index.address()).await?;
    let pop = Pop::start("clean", way.address())?;
    for (target, kind) in [(way.url(), "mirror"), (pop.url(), "edge")] {
        let clean = column(&index, &target, &["--kind", kind])?;
        assert_eq!(clean, all_exact(), "{kind}");
    }

    let [html, json, only_json] = old;
    way.at("/simple/old-page/", Some(false), Fault::Instead(html));
    way.at("/simple/old-page/", Some(true), Fault::Instead(json));
    way.at("/simple/old-json/", Some(true), Fault::Instead(only_json));
    way.at(&wheel_of("missing-file"), None, Fault::Gone);
    way.at(&wheel_of("tampered-file"), None, Fault::Flip);
    way.at(&wheel_of("truncated-file"), None, Fault::Cut);
    let document = format!("{}.metadata", wheel_of("wrong-metadata"));
    way.at(&document, None, Fault::Flip);
    // Its cache is empty, so that it fetches what is wrong and keeps it.
    let pop = Pop::start("faulty", way.address())?;
    for (target, kind) in [(way.url(), "mirror"), (pop.url(), "edge")] {
        let found = column(&index, &target, &["--kind", kind])?;
        print(kind, &found);
        assert_eq!(found, every_fault(), "{kind}");
        let pages = column(&index, &target, &["--kind", kind, "--pages-only"])?;
        let old = [("old-json", "behind"), ("old-page", "behind")];
        assert_eq!(pages, with(&old), "{kind}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_found_in_a_bandersnatch_mirror_as_folder_and_as_site() -> anyhow::Result<()>
{
    let Some(bandersnatch) = client("bandersnatch8", "bandersnatch")? else {
        return Ok(());
    };
    let index = index().await?;
    let folder = tempfile::tempdir()?;
    mirror(&bandersnatch, &index, folder.path())?;
    let web = folder.path().join("mirror/web");
    let keep = |project: &str, name: &str| fs::read(web.join("simple").join(project).join(name));
    let old = [
        ("old-page", "index.html", keep("old-page", "index.html")?),
        (
            "old-page",
            "index.v1_html",
            keep("old-page", "index.v1_html")?,
        ),
        (
            "old-page",
            "index.v1_json",
            keep("old-page", "index.v1_json")?,
        ),
        (
            "old-json",
            "index.v1_json",
            keep("old-json", "index.v1_json")?,
        ),
    ];
    change(&index).await?;
    mirror_again(&bandersnatch, &index, folder.path())?;
    let site = Folder::serve(web.clone()).await?;
    let tree = web.display().to_string();
    // The three ways to name the folder.
    let simple = web.join("simple").display().to_string();
    let above = folder.path().join("mirror").display().to_string();
    for target in [&tree, &simple, &above, &site] {
        assert_eq!(column(&index, target, &[])?, all_exact(), "{target}");
    }

    for (project, name, bytes) in old {
        fs::write(web.join("simple").join(project).join(name), bytes)?;
    }
    break_files(&web.join("packages"))?;
    for (name, target) in [("bandersnatch folder", &tree), ("bandersnatch site", &site)] {
        let found = column(&index, target, &[])?;
        print(name, &found);
        assert_eq!(found, every_fault(), "{name}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_found_in_a_pep381_folder() -> anyhow::Result<()> {
    let index = index().await?;
    let old = page(&index, "old-page", false).await?;
    change(&index).await?;
    let folder = tempfile::tempdir()?;
    let web = folder.path().join("web");
    fs::create_dir_all(web.join("serversig"))?;
    for project in PROJECTS {
        copy(&index, project, &web).await?;
    }
    let tree = folder.path().display().to_string();
    assert_eq!(column(&index, &tree, &[])?, all_exact());

    fs::write(web.join("simple/old-page/index.html"), old)?;
    // pep381client keeps no metadata documents; a wrong one is found all the same.
    let wheel = the(&web.join("packages"), &wheel_of("wrong-metadata"))?;
    let document = format!("{}.metadata", wheel.display());
    fs::write(document, "Metadata-Version: 2.1\n")?;
    break_files(&web.join("packages"))?;
    let found = column(&index, &tree, &[])?;
    print("pep381 folder", &found);
    let mut expected = every_fault();
    // It has no JSON that could be old.
    expected.insert("old-json".to_owned(), "exact".to_owned());
    assert_eq!(found, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_found_in_a_devpi_mirror_index() -> anyhow::Result<()> {
    let Some(program) = client("devpi", "devpi-server")? else {
        return Ok(());
    };
    let index = index().await?;
    let way = Way::start(index.address()).await?;
    let folder = tempfile::tempdir()?;
    let devpi = Devpi::start(&program, folder.path()).await?;
    let simple = devpi.mirror(&format!("{}/simple/", way.url())).await?;
    assert_eq!(column(&index, &simple, &[])?, all_exact());

    // From now on its pages are old, and so for an hour.
    change(&index).await?;
    // It has kept every file that was asked for. What it lost it would fetch again.
    way.at(&wheel_of("missing-file"), None, Fault::Gone);
    break_files(&folder.path().join("+files"))?;
    let found = column(&index, &simple, &[])?;
    print("devpi", &found);
    let expected = with(&[
        ("missing-file", "different/missing"),
        // It renders both forms from one state, so that both are old.
        ("old-json", "behind"),
        ("old-page", "behind"),
        ("tampered-file", "different/different"),
        ("truncated-file", "different/different"),
        // It neither promises nor keeps metadata documents.
    ]);
    assert_eq!(found, expected);
    Ok(())
}

/// The one file with this name.
fn the(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let files = files_below(folder)?;
    let found = files.into_iter().find(|path| path.ends_with(name));
    found.with_context(|| format!("no {name} in {}", folder.display()))
}

/// Removes, tampers with and cuts the files of the projects that are called so; and a metadata
/// document, where there is one.
fn break_files(folder: &Path) -> anyhow::Result<()> {
    fs::remove_file(the(folder, &wheel_of("missing-file"))?)?;
    let document = the(folder, &format!("{}.metadata", wheel_of("wrong-metadata"))).ok();
    for (path, fault) in [
        (Some(the(folder, &wheel_of("tampered-file"))?), Fault::Flip),
        (Some(the(folder, &wheel_of("truncated-file"))?), Fault::Cut),
        (document, Fault::Flip),
    ] {
        if let Some(path) = path {
            let bytes = fault.apply(fs::read(&path)?).context("nothing")?;
            fs::write(&path, bytes)?;
        }
    }
    Ok(())
}
