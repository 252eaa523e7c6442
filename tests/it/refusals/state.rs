//! Everything an upload could change, to be compared before and after.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lockstep_tests::index::TestIndex;

/// Row counts with the last serial, and the files below the blobs folder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) rows: String,
    pub(crate) blobs: Vec<PathBuf>,
}

impl State {
    pub(crate) fn of(index: &TestIndex) -> anyhow::Result<Self> {
        let tables = [
            "changelog",
            "projects",
            "releases",
            "files",
            "file_names",
            "states",
            "pages",
            "outbox",
            "purges",
        ];
        let counts = tables.map(|table| format!("(select count(*) from {table})"));
        let sql = format!("select (select value from serials), {}", counts.join(", "));
        let mut blobs = Vec::new();
        collect(&index.blobs(), &mut blobs)?;
        blobs.retain(|path| !path.starts_with(spool(index)));
        blobs.sort();
        Ok(Self {
            rows: index.database().query(&sql)?,
            blobs,
        })
    }
}

/// A spooled file goes with its request; where the client was cut off, a moment after it.
pub(crate) fn spool_is_empty(index: &TestIndex) -> anyhow::Result<bool> {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let empty = fs::read_dir(spool(index))?.next().is_none();
        if empty || Instant::now() > deadline {
            return Ok(empty);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn spool(index: &TestIndex) -> PathBuf {
    index.blobs().join(".spool")
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
