//! Runs a command with a PostgreSQL of its own: `with-postgres cargo nextest run`.
//!
//! The command finds it by `LOCKSTEP_TEST_POSTGRES`, the URL of the database `postgres`; each test
//! makes its own database there. The cluster is gone when the command has ended, and with it
//! whatever the tests left behind.

use std::env;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};

use anyhow::Context as _;
use lockstep_server::postgres::{Durability, PostgresError, PrivatePostgres};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> anyhow::Result<ExitCode> {
    let mut command = env::args_os().skip(1);
    let program = command
        .next()
        .context("usage: with-postgres COMMAND [ARGUMENT…]")?;
    // The folder outlives the server in it: it is declared first.
    let (_folder, postgres) = start()?;
    let status = run(program, command.collect(), &postgres.url("postgres"));
    postgres.stop()?;
    let status = status?;
    // As a shell says it: 128 and the signal's number.
    let code = status
        .code()
        .or(status.signal().map(|signal| 128 + signal))
        .and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Starts the cluster under `target/`; or, when we are root and the checkout is in root's home,
/// where the user `postgres` has no way in, in the system's folder for temporary files.
fn start() -> anyhow::Result<(TempDir, PrivatePostgres)> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    );
    match start_below(&target) {
        Err(error)
            if matches!(
                error.downcast_ref(),
                Some(PostgresError::Unreachable { .. })
            ) =>
        {
            start_below(&env::temp_dir())
        }
        result => result,
    }
}

fn start_below(parent: &Path) -> anyhow::Result<(TempDir, PrivatePostgres)> {
    fs::create_dir_all(parent).with_context(|| format!("could not create {}", parent.display()))?;
    let folder = tempfile::Builder::new()
        .prefix("test-postgres-")
        .permissions(Permissions::from_mode(0o755))
        .tempdir_in(parent)
        .context("could not create a folder for the test database")?;
    let postgres = PrivatePostgres::start(folder.path(), Durability::Volatile)?;
    Ok((folder, postgres))
}

/// Runs the command to its end, whatever signals say: the server must be stopped after it.
#[tokio::main(flavor = "current_thread")]
async fn run(program: OsString, arguments: Vec<OsString>, url: &str) -> anyhow::Result<ExitStatus> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut child = Command::new(&program)
        .args(arguments)
        .env("LOCKSTEP_TEST_POSTGRES", url)
        .spawn()
        .with_context(|| format!("could not run {}", program.display()))?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(status?),
            // A terminal has sent it to the command as well, which ends in its own way.
            _ = interrupt.recv() => {}
            _ = terminate.recv() => child.start_kill()?,
        }
    }
}
