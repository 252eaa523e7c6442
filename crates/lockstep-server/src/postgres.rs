//! A private PostgreSQL, for `lockstep dev` and the tests: a cluster in a folder of ours, run by
//! the installed `initdb` and `postgres` as a child process, reached by a Unix socket alone.
//!
//! Not for production, where PostgreSQL belongs to somebody who backs it up.
//!
//! Invariants: one [`PrivatePostgres`] per folder, by a lock that ends with the process. What a
//! killed process left over, a running server or a half-made cluster, is cleaned up by the next
//! start and not by a person. When we are root, PostgreSQL (which refuses root) runs as the user
//! `postgres`, and owns only the folders named here.

mod binaries;
mod owner;
mod server;

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use self::binaries::Binaries;
use self::owner::Owner;
use self::server::{run, run_until_ready, stop_left_over};

/// The superuser of the cluster; the socket's folder is private, so it needs no password.
const ROLE: &str = "lockstep";
/// Part of the socket's file name; nothing listens on TCP.
const PORT: &str = "5432";
/// Longest path of a Unix socket, without its terminating zero.
const MAX_SOCKET_PATH: usize = 107;
/// How long sessions may take to end.
const STOP_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);

/// What the cluster promises of a committed transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It survives a killed server and a power failure.
    Safe,
    /// It survives an orderly stop only: for tests, several times as fast.
    Volatile,
}

/// Why the private PostgreSQL did not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// There are no binaries that we can use.
    #[error("{seen}; install PostgreSQL 15 or newer: apt-get install postgresql")]
    NotInstalled {
        /// What was found instead.
        seen: String,
    },
    /// The user that PostgreSQL runs as can't get to its folder.
    #[error(
        "the user `postgres` can't enter {folder}, so PostgreSQL can't run below it; give --data a folder such as /var/lib/lockstep, or allow it: chmod o+x {folder}"
    )]
    Unreachable {
        /// The topmost folder that is closed.
        folder: String,
    },
    /// Another process of ours has the folder.
    #[error("{folder} is in use by another lockstep process; stop it, or give another folder")]
    InUse {
        /// The data folder.
        folder: String,
    },
    /// A step that needs the file system or a new process.
    #[error("could not {doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// PostgreSQL itself said no.
    #[error("{program} failed: {output}")]
    Failed {
        /// Which of its programs.
        program: &'static str,
        /// The last lines of what it wrote.
        output: String,
    },
}

/// For `map_err`: names the step that an I/O error ended.
fn io_error(doing: impl Into<String>) -> impl FnOnce(io::Error) -> PostgresError {
    let doing = doing.into();
    move |source| PostgresError::Io { doing, source }
}

/// A running cluster. Dropping it stops it, as far as that can be done without saying why not.
#[derive(Debug)]
pub struct PrivatePostgres {
    server: Child,
    socket_folder: PathBuf,
    /// Removed by being dropped.
    _temporary: Option<TempDir>,
    lock: File,
}

impl PrivatePostgres {
    /// Starts the cluster in `dir/postgres`, making it first if there is none, and waits until it
    /// accepts connections. Its log is `dir/postgres.log`.
    ///
    /// A server that a killed process left running there is stopped first.
    pub fn start(dir: &Path, durability: Durability) -> Result<Self, PostgresError> {
        fs::create_dir_all(dir).map_err(io_error(format!("create {}", dir.display())))?;
        let dir = fs::canonicalize(dir).map_err(io_error(format!("find {}", dir.display())))?;
        let lock = lock(&dir)?;
        let owner = Owner::for_this_process()?;
        owner.check_reach(&dir)?;

        let cluster = dir.join("postgres");
        let binaries = Binaries::find(&cluster)?;
        if !cluster.join("PG_VERSION").exists() {
            make_cluster(&dir, &cluster, durability, &binaries, &owner)?;
        }
        stop_left_over(&cluster, &binaries, &owner)?;
        let (socket_folder, temporary) = socket_folder(&dir, &owner)?;

        let mut command = owner.command(&binaries.postgres);
        command
            .arg("-D")
            .arg(&cluster)
            .arg("-k")
            .arg(&socket_folder)
            .args(["-p", PORT])
            .args(["-c", "listen_addresses="])
            .args(["-c", "unix_socket_permissions=0700"])
            .args(["-c", "max_connections=200"]);
        if durability == Durability::Volatile {
            command
                .args(["-c", "fsync=off"])
                .args(["-c", "synchronous_commit=off"])
                .args(["-c", "full_page_writes=off"]);
        }
        let server = run_until_ready(&mut command, &cluster, &dir.join("postgres.log"))?;
        Ok(Self {
            server,
            socket_folder,
            _temporary: temporary,
            lock,
        })
    }

    /// The address of `database` for tokio-postgres and `psql`, with the superuser role.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{ROLE}@{}:{PORT}/{}",
            percent_encoded(self.socket_folder.as_os_str().as_bytes()),
            percent_encoded(database.as_bytes())
        )
    }

    /// Stops the cluster: sessions are ended, what is committed is on disk, and the next start has
    /// nothing to recover.
    pub fn stop(mut self) -> Result<(), PostgresError> {
        self.shut_down()
    }

    fn shut_down(&mut self) -> Result<(), PostgresError> {
        // SIGINT is PostgreSQL's "fast", SIGQUIT its "immediate" shutdown.
        for signal in [Signal::INT, Signal::QUIT] {
            if self.has_ended()? {
                return Ok(());
            }
            kill_process(Pid::from_child(&self.server), signal)
                .map_err(|error| io_error("signal PostgreSQL")(error.into()))?;
            let deadline = Instant::now() + STOP_WITHIN;
            while Instant::now() < deadline {
                if self.has_ended()? {
                    return Ok(());
                }
                sleep(POLL);
            }
        }
        Err(PostgresError::Failed {
            program: "postgres",
            output: "it did not stop when asked to".to_owned(),
        })
    }

    fn has_ended(&mut self) -> Result<bool, PostgresError> {
        let status = self.server.try_wait();
        Ok(status.map_err(io_error("wait for PostgreSQL"))?.is_some())
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        // Nobody is there to be told; the next start cleans up whatever is left.
        let _ = self.shut_down();
        // Closing it would not do while a process that another thread has just forked holds a copy.
        let _ = self.lock.unlock();
    }
}

/// Takes `dir` for this process, until the file is closed; a killed process can't keep it.
fn lock(dir: &Path) -> Result<File, PostgresError> {
    let path = dir.join("postgres.lock");
    let file = File::create(&path).map_err(io_error(format!("create {}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(PostgresError::InUse {
            folder: dir.display().to_string(),
        }),
        Err(fs::TryLockError::Error(error)) => {
            Err(io_error(format!("lock {}", path.display()))(error))
        }
    }
}

/// Makes the cluster beside its place and moves it there when it is whole: `initdb` may be killed.
fn make_cluster(
    dir: &Path,
    cluster: &Path,
    durability: Durability,
    binaries: &Binaries,
    owner: &Owner,
) -> Result<(), PostgresError> {
    let unfinished = dir.join("postgres.unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)
            .map_err(io_error(format!("remove {}", unfinished.display())))?;
    }
    owner.private_folder(&unfinished)?;
    let mut command = owner.command(&binaries.initdb);
    command
        .arg("-D")
        .arg(&unfinished)
        .args(["-U", ROLE, "--auth=trust"])
        // The order of names must not depend on the machine.
        .args(["--encoding=UTF8", "--locale=C"]);
    if durability == Durability::Volatile {
        command.arg("--no-sync");
    }
    run("initdb", &mut command)?;
    fs::rename(&unfinished, cluster).map_err(io_error(format!("make {}", cluster.display())))
}

/// Where the socket goes: beside the cluster, or to a fresh private folder if that path is longer
/// than a socket's may be.
fn socket_folder(dir: &Path, owner: &Owner) -> Result<(PathBuf, Option<TempDir>), PostgresError> {
    let beside = dir.join("postgres-run");
    let socket = beside.join(format!(".s.PGSQL.{PORT}"));
    if socket.as_os_str().len() <= MAX_SOCKET_PATH {
        owner.private_folder(&beside)?;
        return Ok((beside, None));
    }
    let temporary = tempfile::Builder::new()
        .prefix("lockstep-")
        .tempdir()
        .map_err(io_error("create a temporary folder"))?;
    let folder = temporary.path().to_owned();
    owner.private_folder(&folder)?;
    Ok((folder, Some(temporary)))
}

/// Fit for a part of a URL; a socket's folder stands there as the host.
fn percent_encoded(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests;
