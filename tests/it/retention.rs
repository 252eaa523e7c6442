//! Retention: what was replaced or removed is let go after its time, and nothing else ever is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lockstep_core::digest::FileHasher;
use lockstep_server::app::App;
use lockstep_server::{retention, settings};
use lockstep_tests::dist::{Dist, Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::TestIndex;

async fn upload(index: &TestIndex, version: &str) -> anyhow::Result<Dist> {
    let dist = wheel("sample", version, &Opts::default());
    let answer = Form::of("sample", version, &dist).send(index).await?;
    anyhow::ensure!(answer.status == 200, "{answer:?}");
    index.settle()?;
    Ok(dist)
}

async fn status(index: &TestIndex, path: &str) -> anyhow::Result<u16> {
    Ok(reqwest::get(format!("{}{path}", index.url()))
        .await?
        .status()
        .as_u16())
}

/// A second process on the same database and blobs, whose rounds the test runs by hand.
async fn app(index: &TestIndex) -> anyhow::Result<App> {
    App::start(settings::load(&index.settings_file())?).await
}

#[tokio::test]
async fn replaced_pages_go_after_their_time_and_current_ones_stay() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    upload(&index, "1.0").await?;
    let old = index
        .database()
        .query("select encode(html_sha256, 'hex') from projects")?;
    upload(&index, "2.0").await?;
    let new = index
        .database()
        .query("select encode(html_sha256, 'hex') from projects")?;
    let app = app(&index).await?;
    let pages = |hash: &str| format!("/pages/sha256/{hash}");

    // Within its time a replaced page stays.
    assert_eq!(retention::round(&app, false).await?.states, 0);
    assert_eq!(status(&index, &pages(&old)).await?, 200);

    index
        .database()
        .query("update states set replaced_at = replaced_at - interval '31 days'")?;
    assert_eq!(retention::round(&app, false).await?.states, 1);
    assert_eq!(
        status(&index, &pages(&old)).await?,
        410,
        "gone, not unknown"
    );
    assert_eq!(status(&index, "/changelog/3/content").await?, 410);
    assert_eq!(
        status(&index, "/changelog/3").await?,
        200,
        "the changelog itself stays"
    );
    assert_eq!(status(&index, &pages(&new)).await?, 200);
    assert_eq!(status(&index, "/simple/sample/").await?, 200);
    index.fsck()
}

fn path_of(index: &TestIndex, dist: &Dist) -> PathBuf {
    let mut hasher = FileHasher::default();
    hasher.update(&dist.bytes);
    let address = hasher.finish().blake2b_256.to_string();
    let folder = index.blobs().join(&address[..2]).join(&address[2..4]);
    folder.join(&address[4..]).join(&dist.filename)
}

fn age_blob(path: &Path) -> anyhow::Result<()> {
    let status = Command::new("touch")
        .args(["-d", "3 days ago"])
        .arg(path)
        .status()?;
    anyhow::ensure!(status.success());
    Ok(())
}

#[tokio::test]
async fn orphans_are_condemned_and_then_deleted_unless_an_upload_pardons_them() -> anyhow::Result<()>
{
    let index = TestIndex::start()?;
    let kept = upload(&index, "1.0").await?;
    let app = app(&index).await?;
    // What a crash between upload and commit leaves: the bytes, and nobody who names them.
    let orphan = wheel("sample", "2.0", &Opts::default());
    let path = path_of(&index, &orphan);
    let leave = || -> anyhow::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(&path, &orphan.bytes)?;
        age_blob(&path)
    };
    age_blob(&path_of(&index, &kept))?;
    let age = "update condemned_blobs set condemned_at = condemned_at - interval '2 days'";
    leave()?;

    assert_eq!(
        retention::round(&app, true).await?.blobs,
        0,
        "condemned, not deleted"
    );
    assert!(path.exists());
    index.database().query(age)?;
    assert_eq!(retention::round(&app, true).await?.blobs, 1);
    assert!(!path.exists());

    // Condemned again, and due; but the same bytes are uploaded first.
    leave()?;
    assert_eq!(retention::round(&app, true).await?.blobs, 0);
    index.database().query(age)?;
    let answer = Form::of("sample", "2.0", &orphan).send(&index).await?;
    assert_eq!(answer.status, 200);
    assert_eq!(retention::round(&app, true).await?.blobs, 0);
    assert!(path.exists());
    // The file of the first upload was never in danger, however old it is: fsck reads it back.
    assert!(path_of(&index, &kept).exists());
    index.fsck()
}

#[tokio::test]
async fn outbox_rows_go_a_week_after_they_were_done() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    upload(&index, "1.0").await?;
    let app = app(&index).await?;
    assert_eq!(retention::round(&app, false).await?.outbox, 0);
    index
        .database()
        .query("update outbox set verified_at = verified_at - interval '8 days'")?;
    assert_eq!(retention::round(&app, false).await?.outbox, 1);
    upload(&index, "2.0").await?;
    index.fsck()
}

#[tokio::test]
async fn a_removed_file_is_served_for_a_day_and_then_its_bytes_go() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let (removed, kept) = (upload(&index, "1.0").await?, upload(&index, "2.0").await?);
    let app = app(&index).await?;
    let path = path_of(&index, &removed);
    let metadata = path.with_file_name(format!("{}.metadata", removed.filename));
    for path in [&path, &metadata, &path_of(&index, &kept)] {
        age_blob(path)?;
    }
    let at = format!("/packages/{}", path.strip_prefix(index.blobs())?.display());
    index.lockstep(&["remove", "sample", "1.0"])?;
    index.settle()?;

    // A mirror that is a day behind still gets what it was told of.
    assert_eq!(retention::round(&app, true).await?.blobs, 0);
    for part in ["", ".metadata"] {
        assert_eq!(status(&index, &format!("{at}{part}")).await?, 200, "{part}");
    }
    index
        .database()
        .query("update condemned_blobs set condemned_at = condemned_at - interval '2 days'")?;
    assert_eq!(retention::round(&app, true).await?.blobs, 2);
    for part in ["", ".metadata"] {
        assert_eq!(status(&index, &format!("{at}{part}")).await?, 404, "{part}");
    }
    assert!(path_of(&index, &kept).exists());
    index.fsck()
}
