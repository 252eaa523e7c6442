//! fsck finds what was tampered with, one line per finding, and says so with exit code 1.

use std::fs;
use std::path::PathBuf;

use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::TestIndex;

use super::stdout;
use crate::refusals::state::State;

async fn index() -> anyhow::Result<TestIndex> {
    let index = TestIndex::start()?;
    for name in ["alpha", "beta"] {
        let dist = wheel(name, "1.0", &Opts::default());
        assert_eq!(Form::of(name, "1.0", &dist).send(&index).await?.status, 200);
    }
    index.settle()?;
    index.fsck()?;
    Ok(index)
}

/// The findings, which must be as many as told, and each about this.
fn finds(index: &TestIndex, count: usize, about: &str, says: &str) -> anyhow::Result<()> {
    let output = index.try_lockstep(&["fsck"])?;
    let text = stdout(&output);
    eprintln!("{text}");
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), count, "one line per finding: {text}");
    assert!(
        text.lines()
            .all(|line| line.starts_with(about) && line.contains(says)),
        "{text}"
    );
    Ok(())
}

fn blob(index: &TestIndex, filename: &str) -> anyhow::Result<PathBuf> {
    let blobs = State::of(index)?.blobs;
    let found = blobs.into_iter().find(|path| path.ends_with(filename));
    Ok(found.unwrap_or_default())
}

#[tokio::test]
async fn a_changed_page() -> anyhow::Result<()> {
    let index = index().await?;
    let of_beta = "id = (select state_id from projects where normalized_name = 'beta')";
    index.database().query(&format!(
        "update states set html = html || 'x' where {of_beta}"
    ))?;
    finds(
        &index,
        1,
        "beta: HTML page: ",
        "the bytes kept are not those of",
    )?;
    index.database().query(&format!(
        "update states set html = substr(html, 1, length(html) - 1), json = json || 'x' \
         where {of_beta}"
    ))?;
    finds(
        &index,
        1,
        "beta: JSON page: ",
        "the bytes kept are not those of",
    )
}

#[tokio::test]
async fn a_changed_row() -> anyhow::Result<()> {
    let index = index().await?;
    // As somebody would who mends a page by hand: content and both forms render otherwise now.
    index
        .database()
        .query("update files set requires_python = '>=4' where filename like 'beta-%'")?;
    finds(&index, 3, "beta: ", "render")
}

#[tokio::test]
async fn a_missing_and_a_changed_file() -> anyhow::Result<()> {
    let index = index().await?;
    let filename = "alpha-1.0-py3-none-any.whl";
    let path = blob(&index, filename)?;
    let bytes = fs::read(&path)?;
    let mut changed = bytes.clone();
    changed[30] ^= 1;
    fs::write(&path, changed)?;
    finds(&index, 1, filename, "the file's bytes have hash ")?;
    fs::remove_file(&path)?;
    finds(&index, 1, filename, "the file is missing")?;
    fs::write(&path, bytes)?;
    index.fsck()?;

    let metadata = blob(&index, &format!("{filename}.metadata"))?;
    fs::write(&metadata, "Name: other\n")?;
    finds(&index, 1, filename, "its .metadata has hash ")?;
    fs::remove_file(&metadata)?;
    finds(&index, 1, filename, "its .metadata is missing")
}

#[tokio::test]
async fn a_gap_in_the_changelog() -> anyhow::Result<()> {
    let index = index().await?;
    index
        .database()
        .query("delete from changelog where serial = 2")?;
    finds(&index, 1, "serials: 2 has no row", "")
}

#[tokio::test]
async fn a_row_beyond_the_last_serial() -> anyhow::Result<()> {
    let index = index().await?;
    index.database().query("update serials set value = value - 1; update watermarks set announced = 5, purged = 5, verified = 5")?;
    finds(&index, 1, "serials: 1 rows lie beyond", "")?;
    index.database().query("update serials set value = value + 1; update watermarks set announced = 6, purged = 6, verified = 6")?;
    index.fsck()
}

#[tokio::test]
async fn a_removed_project_that_is_not_gone_and_a_hidden_one_that_is_listed() -> anyhow::Result<()>
{
    let index = index().await?;
    index.lockstep(&["remove", "alpha"])?;
    index.lockstep(&["status", "beta", "quarantined"])?;
    index.settle()?;
    index.fsck()?;
    index.database().query(
        "insert into releases (project_id, version, canonical_version, metadata) \
         select project_id, '9', '9', metadata from releases",
    )?;
    index.fsck()?;
    index.database().query(
        "update releases set project_id = (select id from projects where normalized_name = 'alpha') \
         where version = '9'; \
         update files set project_id = \
         (select id from projects where normalized_name = 'alpha')",
    )?;
    finds(&index, 1, "alpha: ", "removed, but 1 of its files are left")?;
    index.database().query(
        "update files set project_id = (select id from projects where normalized_name = 'beta'); \
         update changelog set listed = true \
         where serial = (select max(serial) from changelog)",
    )?;
    finds(
        &index,
        1,
        "beta: listed: ",
        "to be false, but the changelog says true",
    )
}
