//! The schema and the statements on it: each statement prepares, each file is used, the migrations
//! make exactly `sql/schema.sql`, and no process works on a schema that is not its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, ensure};
use lockstep_store::QUERIES;
use lockstep_tests::database::Database;
use lockstep_tests::index::{TestIndex, binary};
use tempfile::TempDir;

/// Statements that PostgreSQL does not prepare: settings of the session, not queries.
const UTILITY: &[&str] = &["schema/no_timeout"];

fn sql_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql")
}

/// An empty database with a settings file, before any `migrate`.
struct Unmigrated {
    database: Database,
    folder: TempDir,
}

impl Unmigrated {
    fn create() -> anyhow::Result<Self> {
        let (database, folder) = (Database::create()?, tempfile::tempdir()?);
        let settings = format!(
            "listen = '127.0.0.1:0'\npublic_url = 'http://index.example'\n\
             database_url = '{}'\nblobs = 'file://{}'\n",
            database.url(),
            folder.path().join("blobs").display(),
        );
        fs::write(folder.path().join("lockstep.toml"), settings)?;
        Ok(Self { database, folder })
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(binary());
        command
            .arg(name)
            .arg("--config")
            .arg(self.folder.path().join("lockstep.toml"));
        command
    }

    fn run(&self, name: &str) -> anyhow::Result<Output> {
        Ok(self.command(name).output()?)
    }
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn every_statement_prepares_on_the_migrated_schema() -> anyhow::Result<()> {
    let index = Unmigrated::create()?;
    ensure!(index.run("migrate")?.status.success(), "migrate failed");
    let mut wrong = Vec::new();
    for query in QUERIES
        .iter()
        .filter(|query| !UTILITY.contains(&query.name))
    {
        let statement = format!("prepare statement as {}", query.text);
        if let Err(error) = index.database.query(&statement) {
            wrong.push(format!("{}: {error}", query.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[test]
fn every_file_is_a_statement_and_every_statement_has_its_own_file() -> anyhow::Result<()> {
    let mut files = BTreeSet::new();
    for area in fs::read_dir(sql_folder().join("queries"))? {
        let area = area?;
        for file in fs::read_dir(area.path())? {
            let file = file?.file_name().to_string_lossy().into_owned();
            let verb = file
                .strip_suffix(".sql")
                .context("only statements stand there")?;
            files.insert(format!("{}/{verb}", area.file_name().to_string_lossy()));
        }
    }
    let names: Vec<_> = QUERIES.iter().map(|query| query.name.to_owned()).collect();
    let unique: BTreeSet<_> = names.iter().cloned().collect();
    assert_eq!(unique.len(), names.len(), "a file stands in QUERIES twice");
    // That each constant is used, too, is the compiler's to say.
    assert_eq!(files, unique);
    for query in QUERIES {
        assert!(
            query.text.starts_with("-- "),
            "{} does not begin with a comment",
            query.name
        );
        let statements = query.text.lines().filter(|line| !line.starts_with("--"));
        let text = statements.collect::<Vec<_>>().join("\n");
        assert!(
            !text.contains(';'),
            "{} is more than one statement",
            query.name
        );
    }
    Ok(())
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "UPDATE_SCHEMA=1 asks for the file to be written instead of compared"
)]
fn the_migrations_make_schema_sql() -> anyhow::Result<()> {
    let index = Unmigrated::create()?;
    ensure!(index.run("migrate")?.status.success(), "migrate failed");
    let dump = Command::new("pg_dump")
        .args([
            "--schema-only",
            "--no-owner",
            "--no-privileges",
            "--no-comments",
        ])
        .args([
            "--exclude-table=refinery_schema_history",
            &index.database.url(),
        ])
        .output()
        .context("could not run pg_dump")?;
    ensure!(dump.status.success(), "pg_dump: {}", said(&dump));
    let made = normalized(&String::from_utf8(dump.stdout)?);
    let path = sql_folder().join("schema.sql");
    if std::env::var("UPDATE_SCHEMA").is_ok_and(|value| value == "1") {
        fs::write(&path, &made)?;
    }
    let kept = fs::read_to_string(&path)?;
    assert!(
        kept == made,
        "sql/schema.sql is not what the migrations make; see sql/README.md for how to write it \
         again. They make:\n{made}"
    );
    Ok(())
}

/// What differs between versions of `pg_dump` is left out: its comments, its session settings, and
/// the public schema, which one version dumps and another does not.
fn normalized(dump: &str) -> String {
    const NOISE: &[&str] = &[
        "--",
        "SET ",
        "SELECT pg_catalog.set_config",
        "\\restrict",
        "\\unrestrict",
        "CREATE SCHEMA public",
    ];
    let mut text =
        "-- Generated from the migrations; see README.md. Not to be edited.\n".to_owned();
    for line in dump
        .lines()
        .filter(|line| !NOISE.iter().any(|noise| line.starts_with(noise)))
    {
        if !(line.is_empty() && text.ends_with("\n\n")) {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text.trim_end().to_owned() + "\n"
}

#[test]
fn migrating_twice_does_nothing_the_second_time() -> anyhow::Result<()> {
    let index = Unmigrated::create()?;
    let count = fs::read_dir(sql_folder().join("migrations"))?.count();
    let first = index.run("migrate")?;
    assert_eq!(
        (first.status.code(), said(&first)),
        (
            Some(0),
            format!("{count} migrations applied; the schema is at version {count}\n")
        )
    );
    let second = index.run("migrate")?;
    // Nothing else, such as PostgreSQL's own notices.
    assert_eq!(
        (second.status.code(), said(&second)),
        (
            Some(0),
            format!("0 migrations applied; the schema is at version {count}\n")
        )
    );
    Ok(())
}

#[test]
fn four_migrations_at_once_take_turns() -> anyhow::Result<()> {
    let index = Unmigrated::create()?;
    let count = fs::read_dir(sql_folder().join("migrations"))?.count();
    let outputs: Vec<Output> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| index.run("migrate")))
            .collect();
        let ended = running.into_iter().map(|one| one.join().expect("no panic"));
        ended.collect::<anyhow::Result<_>>()
    })?;
    let mut applied = 0;
    for output in &outputs {
        assert!(output.status.success(), "{}", said(output));
        let text = said(output);
        applied += text
            .split(' ')
            .next()
            .unwrap_or_default()
            .parse::<usize>()?;
    }
    assert_eq!(
        applied, count,
        "each migration once, by whichever came first"
    );
    Ok(())
}

#[test]
fn serve_refuses_a_schema_that_is_not_its_own() -> anyhow::Result<()> {
    let index = Unmigrated::create()?;
    let empty = index.run("serve")?;
    assert_eq!(empty.status.code(), Some(1), "{}", said(&empty));
    assert!(
        said(&empty).contains("run `lockstep migrate --config FILE` first"),
        "{}",
        said(&empty)
    );
    assert_eq!(
        index
            .database
            .query("select count(*) from pg_tables where schemaname = 'public'")?,
        "0"
    );

    ensure!(index.run("migrate")?.status.success(), "migrate failed");
    index.database.query(
        "insert into refinery_schema_history (version, name, applied_on, checksum) \
         select 999, 'to_come', applied_on, checksum from refinery_schema_history limit 1",
    )?;
    let newer = index.run("serve")?;
    assert_eq!(newer.status.code(), Some(1), "{}", said(&newer));
    assert!(
        said(&newer).contains("version 999, newer than"),
        "{}",
        said(&newer)
    );
    assert!(
        said(&newer).contains("start the newer program"),
        "{}",
        said(&newer)
    );
    Ok(())
}

#[tokio::test]
async fn a_schema_that_moves_under_a_running_index_is_told_by_readyz() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let ready = crate::http::get(&index, "/readyz", &[]).await?;
    assert_eq!((ready.status, ready.text().as_str()), (200, "ready\n"));
    index.database().query(
        "insert into refinery_schema_history (version, name, applied_on, checksum) \
         select 999, 'to_come', applied_on, checksum from refinery_schema_history limit 1",
    )?;
    let unready = crate::http::get(&index, "/readyz", &[]).await?;
    assert_eq!(unready.status, 503);
    assert!(
        unready.text().contains("start the newer program"),
        "{}",
        unready.text()
    );
    Ok(())
}
