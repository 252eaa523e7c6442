//! Trouble below: a full disk, a database that is gone, and how much memory a large upload takes.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use lockstep_server::postgres::{Durability, PrivatePostgres};
use lockstep_tests::dist::{Dist, Opts, wheel};
use lockstep_tests::form::{Answer, Form};
use lockstep_tests::index::{Options, PATIENCE, TestIndex};
use tempfile::TempDir;

use crate::http::{client, finish, get};
use crate::refusals::state::{State, spool_is_empty};

fn of_size(version: &str, payload: usize) -> Dist {
    wheel(
        "sample",
        version,
        &Opts {
            payload,
            ..Opts::default()
        },
    )
}

async fn upload(index: &TestIndex, version: &str, payload: usize) -> anyhow::Result<Answer> {
    Form::of("sample", version, &of_size(version, payload))
        .send(index)
        .await
}

/// A file system of one megabyte; gone when dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` where this process may not mount.
    fn mount() -> anyhow::Result<Option<Self>> {
        let disk = Self(tempfile::tempdir()?);
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(disk.0.path())
            .output()?;
        if output.status.success() {
            return Ok(Some(disk));
        }
        eprintln!(
            "SKIP: no small disk: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(None)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_changes_nothing() -> anyhow::Result<()> {
    let Some(disk) = SmallDisk::mount()? else {
        return Ok(());
    };
    let blobs = Some(disk.path().to_owned());
    let index = TestIndex::with(Options {
        blobs,
        ..Options::default()
    })?;
    assert_eq!(upload(&index, "1.0", 1000).await?.status, 200);
    // The announcement notes its serial beside the blobs; it must not come between the two looks.
    index.settle()?;
    let before = State::of(&index)?;
    // The first does not fit at all; the second is spooled, and then fits no second time: the disk
    // is full in the middle of the blob.
    for (version, payload) in [("2.0", 3_000_000), ("3.0", 700_000)] {
        let answer = upload(&index, version, payload).await?;
        assert_eq!(answer.status, 507, "{payload} bytes: {answer:?}");
        assert!(answer.body.contains("no space left"), "{answer:?}");
        ensure!(
            spool_is_empty(&index)?,
            "{payload} bytes: the spool is not empty"
        );
        assert_eq!(
            State::of(&index)?,
            before,
            "{payload} bytes: no row, and no half blob"
        );
    }
    // The same upload works once there is room for it.
    assert_eq!(upload(&index, "3.0", 200_000).await?.status, 200);
    index.settle()?;
    index.fsck()
}

#[tokio::test]
async fn without_its_database_the_index_says_try_again_and_comes_back_by_itself()
-> anyhow::Result<()> {
    let folder = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o755))
        .tempdir()?;
    let postgres = PrivatePostgres::start(folder.path(), Durability::Safe)?;
    let cluster = postgres.url("postgres");
    let options = Options {
        cluster: Some(cluster.clone()),
        ..Options::default()
    };
    let index = TestIndex::with(options)?;
    assert_eq!(upload(&index, "1.0", 0).await?.status, 200);
    index.settle()?;
    // In every cache of the process, and yet it must not be shown below: it might be old by then.
    assert_eq!(get(&index, "/simple/sample/", &[]).await?.status, 200);
    let process = index.process_id();

    postgres.stop()?;
    for path in [
        "/simple/sample/",
        "/simple/",
        "/pypi/sample/json",
        "/serversig/sample/",
        "/changelog/",
        "/changelog/1",
        "/readyz",
        "/simple/unknown/",
    ] {
        let started = Instant::now();
        let got = get(&index, path, &[]).await?;
        assert_eq!(
            (got.status, got.header("cache-control")),
            (503, "no-store"),
            "{path}"
        );
        assert!(
            got.header("retry-after").parse::<u32>().is_ok(),
            "{path}: {:?}",
            got.headers
        );
        assert!(
            started.elapsed().as_secs() < 10,
            "{path} took {:?}",
            started.elapsed()
        );
        assert!(
            !got.text().contains("socket"),
            "{path} tells internals: {}",
            got.text()
        );
    }
    assert_eq!(get(&index, "/healthz", &[]).await?.status, 200);
    let answer = upload(&index, "2.0", 0).await?;
    assert_eq!(answer.status, 503, "{answer:?}");
    let call = "<methodCall><methodName>changelog_last_serial</methodName></methodCall>";
    let request = client()?.post(format!("{}/pypi", index.url()));
    let got = finish(request.header("content-type", "text/xml").body(call)).await?;
    assert_eq!(got.status, 503, "{}", got.text());
    ensure!(
        spool_is_empty(&index)?,
        "the refused upload is still spooled"
    );

    let postgres = PrivatePostgres::start(folder.path(), Durability::Safe)?;
    assert_eq!(
        postgres.url("postgres"),
        cluster,
        "the same address as before"
    );
    let deadline = Instant::now() + PATIENCE;
    while get(&index, "/readyz", &[]).await?.status != 200 {
        ensure!(
            Instant::now() < deadline,
            "not ready again:\n{}",
            index.log()
        );
    }
    assert_eq!(get(&index, "/simple/sample/", &[]).await?.status, 200);
    assert_eq!(upload(&index, "2.0", 0).await?.status, 200);
    index.settle()?;
    assert_eq!(index.process_id(), process, "the same process");
    assert_eq!(get(&index, "/changelog/5", &[]).await?.status, 200);
    index.fsck()?;
    drop(index);
    Ok(postgres.stop()?)
}

/// The most memory the process ever had, in KiB.
fn high_water(process: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line
        .and_then(|line| line.split_whitespace().next())
        .context("no VmHWM")?;
    Ok(number.parse()?)
}

#[tokio::test]
async fn memory_does_not_grow_with_the_file() -> anyhow::Result<()> {
    const BOUND: u64 = 48 * 1024;
    let index = TestIndex::start()?;
    let process = index.process_id().context("not running")?;
    assert_eq!(upload(&index, "1.0", 1000).await?.status, 200);
    let before = high_water(process)?;
    let answer = upload(&index, "2.0", 60_000_000).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    let after = high_water(process)?;
    let growth = after - before;
    eprintln!("60 MB uploaded: {before} KiB before, {after} KiB at most, {growth} KiB more");
    assert!(
        growth < BOUND,
        "{growth} KiB more; at most {BOUND} KiB is promised"
    );
    Ok(())
}
