//! A database of a test's own, in the cluster that `tests/run` starts.
//!
//! Not here: what is in it; an index makes its tables itself. It is gone when its last user is.

use std::process::Command;

use anyhow::{Context as _, ensure};

/// A database in the test run's cluster, gone when dropped.
pub struct Database {
    name: String,
    admin: String,
}

impl Database {
    /// An empty database. `tests/run` says where the cluster is.
    #[expect(
        clippy::disallowed_methods,
        reason = "tests/run tells where the cluster is"
    )]
    pub fn create() -> anyhow::Result<Self> {
        let admin = std::env::var("LOCKSTEP_TEST_POSTGRES").context(
            "these tests need the PostgreSQL that `tests/run` starts; run `tests/run it` instead",
        )?;
        Self::create_in(admin)
    }

    /// An empty database in the cluster whose database `postgres` is at this URL.
    pub fn create_in(admin: String) -> anyhow::Result<Self> {
        let stamp = std::time::UNIX_EPOCH.elapsed()?.as_nanos();
        let name = format!("test_{}_{stamp}", std::process::id());
        psql(
            &admin,
            &format!("create database {name} template template0"),
        )?;
        Ok(Self { name, admin })
    }

    /// How one connects to it.
    pub fn url(&self) -> String {
        let base = self.admin.strip_suffix("/postgres").unwrap_or(&self.admin);
        format!("{base}/{}", self.name)
    }

    /// Keeps a copy; nobody may be connected.
    pub fn back_up(&self) -> anyhow::Result<()> {
        let name = &self.name;
        psql(
            &self.admin,
            &format!("create database {name}_backup template {name}"),
        )
        .map(drop)
    }

    /// Puts the copy in place of the database; nobody may be connected.
    pub fn restore(&self) -> anyhow::Result<()> {
        let name = &self.name;
        psql(&self.admin, &format!("drop database {name}"))?;
        psql(
            &self.admin,
            &format!("alter database {name}_backup rename to {name}"),
        )
        .map(drop)
    }

    /// The same, although somebody is connected, who loses the connection.
    pub fn restore_by_force(&self) -> anyhow::Result<()> {
        let name = &self.name;
        psql(&self.admin, &format!("drop database {name} with (force)"))?;
        psql(
            &self.admin,
            &format!("alter database {name}_backup rename to {name}"),
        )
        .map(drop)
    }

    /// Runs SQL and returns what `psql` prints: columns parted by `|`, a line a row.
    pub fn query(&self, sql: &str) -> anyhow::Result<String> {
        psql(&self.url(), sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = psql(
            &self.admin,
            &format!("drop database {} with (force)", self.name),
        );
    }
}

fn psql(url: &str, sql: &str) -> anyhow::Result<String> {
    let output = Command::new("psql")
        .args([
            url,
            "--no-psqlrc",
            "--quiet",
            "-At",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            sql,
        ])
        .output()
        .context("could not run psql")?;
    ensure!(
        output.status.success(),
        "psql: {}\nin: {sql}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}
