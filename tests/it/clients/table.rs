//! The clients' table: what each real client did in a run. `tests/clients/table` prints it.
//!
//! Invariant: a row says "passed" only after the last assertion of its test; until then it says that
//! the test failed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;

/// The rows there are, in the order in which they are printed.
const LISTED: &str = include_str!("../../clients/table.txt");

/// A client's row.
#[must_use]
pub(super) struct Row {
    client: &'static str,
    file: PathBuf,
}

impl Row {
    /// Begins the row of a client that can run here.
    pub(super) fn begin(client: &'static str) -> anyhow::Result<Self> {
        ensure!(
            LISTED.lines().any(|listed| listed == client),
            "`{client}` is not in tests/clients/table.txt, so nobody would miss it"
        );
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/client-table");
        fs::create_dir_all(&folder)?;
        let file = folder.join(client);
        fs::write(&file, "FAILED\n")?;
        Ok(Self { client, file })
    }

    /// Everything that the test asserts has been asserted.
    pub(super) fn passed(self, version: &str, did: &str) -> anyhow::Result<()> {
        let client = self.client;
        eprintln!("{client} ({version}): {did}");
        Ok(fs::write(self.file, format!("passed\n{version}\n{did}\n"))?)
    }
}
