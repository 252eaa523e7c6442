//! The house itself: which crate may know which, where SQL may stand, how long a file may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

fn is_rust(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|it| it == "rs")
}

/// Every `.rs` file of a folder with its text, by its path in the checkout.
fn sources(folder: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root())?.to_string_lossy().into_owned();
                found.insert(name, fs::read_to_string(&path)?);
            }
        }
    }
    Ok(found)
}

fn all_sources() -> anyhow::Result<BTreeMap<String, String>> {
    let mut all = sources("crates")?;
    all.extend(sources("tests")?);
    Ok(all)
}

/// What each member of the workspace names as a dependency outside its tests.
fn dependencies() -> anyhow::Result<BTreeMap<String, BTreeSet<String>>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let mut members = BTreeMap::new();
    for package in metadata["packages"].as_array().context("packages")? {
        let named = package["dependencies"].as_array().context("dependencies")?;
        // Kind "dev" is a test's own affair.
        let used = named.iter().filter(|it| it["kind"].is_null());
        let names = used
            .filter_map(|it| Some(it["name"].as_str()?.to_owned()))
            .collect();
        members.insert(package["name"].as_str().context("name")?.to_owned(), names);
    }
    Ok(members)
}

#[test]
fn crates_know_each_other_in_one_direction() -> anyhow::Result<()> {
    let members = dependencies()?;
    for (member, allowed) in [
        ("lockstep-core", &[][..]),
        ("lockstep-store", &["lockstep-core"]),
        ("lockstep-cdn", &["lockstep-core"]),
        ("lockstep-mirror", &["lockstep-core"]),
        (
            "lockstep-server",
            &[
                "lockstep-cdn",
                "lockstep-core",
                "lockstep-mirror",
                "lockstep-store",
            ],
        ),
    ] {
        let named = members.get(member).with_context(|| member.to_owned())?;
        let ours = named.iter().filter(|name| name.starts_with("lockstep-"));
        let wrong: Vec<_> = ours
            .filter(|name| !allowed.contains(&name.as_str()))
            .collect();
        assert!(wrong.is_empty(), "{member} may not know {wrong:?}");
    }
    Ok(())
}

#[test]
fn one_crate_alone_knows_the_database_and_one_the_way_out() -> anyhow::Result<()> {
    for (dependency, may) in [
        ("tokio-postgres", &["lockstep-store"][..]),
        ("deadpool-postgres", &["lockstep-store"]),
        ("refinery", &["lockstep-store"]),
        // The harness asks as any client does.
        // The client's half is a client.
        (
            "reqwest",
            &["lockstep-cdn", "lockstep-mirror", "lockstep-tests"],
        ),
    ] {
        for (member, named) in dependencies()? {
            let allowed = may.contains(&member.as_str()) || !named.contains(dependency);
            assert!(allowed, "{member} names {dependency}; only {may:?} may");
        }
    }
    Ok(())
}

#[test]
fn reading_knows_no_cdn() -> anyhow::Result<()> {
    let mut reading = sources("crates/lockstep-server/src/read")?;
    reading.extend(sources("crates/lockstep-server/src/people")?);
    for file in ["read.rs", "people.rs"] {
        let file = format!("crates/lockstep-server/src/{file}");
        let text = fs::read_to_string(root().join(&file))?;
        reading.insert(file, text);
    }
    for (file, text) in reading {
        assert!(
            !text.contains("lockstep_cdn"),
            "{file} mentions lockstep_cdn"
        );
    }
    Ok(())
}

#[test]
fn sql_stands_in_its_own_folder() -> anyhow::Result<()> {
    let beginnings = [
        "select ",
        "insert into ",
        "update ",
        "delete from ",
        "with ",
        "create table ",
    ];
    for (file, text) in sources("crates")? {
        // Its own tests ask a private PostgreSQL whether it keeps what it is given.
        if file.ends_with("/postgres/tests.rs") {
            continue;
        }
        for line in text
            .lines()
            .map(str::trim_start)
            .filter(|line| !line.starts_with("//"))
        {
            // A literal that begins as a statement does, and goes on as none of our sentences does.
            let literals = line.split('"').skip(1).step_by(2).map(str::to_lowercase);
            let statement = literals.into_iter().find(|literal| {
                let begins = beginnings.iter().any(|word| literal.starts_with(word));
                begins
                    && [" from ", " into ", " set ", " as (", " values"]
                        .iter()
                        .any(|word| literal.contains(word))
            });
            // LISTEN can't be prepared, and `listen.rs` says so; it begins with none of these.
            assert!(statement.is_none(), "{file} has SQL: {statement:?}");
        }
    }
    Ok(())
}

#[test]
fn files_are_short_and_say_what_they_are() -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    for (file, text) in all_sources()? {
        let lines = text.lines().count();
        if lines > 500 {
            wrong.push(format!("{file} has {lines} lines; 500 is the most"));
        }
        if !text.starts_with("//! ") {
            wrong.push(format!(
                "{file} does not begin with `//!`: what it is, and what it is not"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

/// Every text that belongs to the project, by its path in the checkout.
fn texts() -> anyhow::Result<BTreeMap<String, String>> {
    let output = Command::new("git")
        .arg("ls-files")
        .current_dir(root())
        .output()?;
    ensure!(output.status.success(), "git ls-files failed");
    // Deleted but not yet committed, or not text: nothing to look into.
    let files = String::from_utf8(output.stdout)?;
    let read = |file: &str| Some((file.to_owned(), fs::read_to_string(root().join(file)).ok()?));
    Ok(files.lines().filter_map(read).collect())
}

#[test]
fn nothing_knows_the_machine_it_was_written_on() -> anyhow::Result<()> {
    // Put together here, so that this file is not its own finding.
    let paths = ["/work", "/root", "/home"].map(|folder| format!("{folder}/"));
    for (file, text) in texts()? {
        for path in &paths {
            assert!(
                !text.contains(path.as_str()),
                "{file} names the machine path {path}"
            );
        }
    }
    Ok(())
}

/// A reason stands where it is needed, in a standard, or in `docs/`; not in a paper that nobody has.
#[test]
fn nothing_refers_to_what_is_not_here() -> anyhow::Result<()> {
    let papers = ["contract", "design", "warehouse"].map(|paper| format!("{paper} \u{a7}"));
    let facts = ["facts", "(facts"].map(|paper| format!("{paper}: "));
    let mut wrong = Vec::new();
    for (file, text) in texts()? {
        for (number, line) in text.lines().enumerate() {
            let line = line.to_lowercase();
            let comment = line.trim_start().starts_with("//") || !is_rust(&file);
            let named = papers.iter().any(|paper| line.contains(paper.as_str()))
                || comment && facts.iter().any(|paper| line.contains(paper.as_str()));
            if named {
                wrong.push(format!("{file}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

/// The documents that say which test shows what.
const CLAIMS: [&str; 2] = ["docs/consistency.md", "docs/comparison.md"];

/// Words that are names of tests: not in backticks, of four parts or more.
fn tests_named(text: &str) -> Vec<&str> {
    let plain = text.split('`').step_by(2);
    let words = plain.flat_map(|part| part.split(|it: char| !it.is_alphanumeric() && it != '_'));
    words
        .filter(|word| word.matches('_').count() >= 3)
        .collect()
}

#[test]
fn tests_that_documents_name_are_there() -> anyhow::Result<()> {
    let sources = all_sources()?;
    for document in CLAIMS {
        let text = fs::read_to_string(root().join(document)).context(document)?;
        let named = tests_named(&text);
        ensure!(named.len() > 10, "{document} names {named:?}");
        for name in named {
            let there = sources
                .values()
                .any(|source| source.contains(&format!("fn {name}()")));
            assert!(there, "{document} names {name}, which is no test");
        }
        let files = text.split('`').skip(1).step_by(2);
        for file in files.filter(|it| is_rust(it)) {
            let there = sources
                .keys()
                .any(|path| path.ends_with(&format!("/{file}")));
            assert!(there, "{document} names {file}, which is no source");
        }
    }
    Ok(())
}
