//! The server process: found if it was left over, started, waited for, and what it says when it
//! fails.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, test_kill_process};

use super::binaries::Binaries;
use super::owner::Owner;
use super::{POLL, PostgresError, STOP_WITHIN, io_error};

/// Recovery after a crash replays at most some checkpoints' worth of log.
const START_WITHIN: Duration = Duration::from_mins(5);
/// The backends of a killed postmaster notice its death within moments.
const ORPHANS_LEAVE_WITHIN: Duration = Duration::from_secs(20);

/// Stops the server of a process that was killed before it could do so.
pub(super) fn stop_left_over(
    cluster: &Path,
    binaries: &Binaries,
    owner: &Owner,
) -> Result<(), PostgresError> {
    let Some(pid) = postmaster_line(cluster, 0).and_then(|line| line.parse().ok()) else {
        return Ok(());
    };
    let alive = Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid).is_ok());
    // A number can have gone to another process since. A server works in its cluster's folder;
    // where that can't be seen, PostgreSQL's own checks have to do.
    let elsewhere = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder != cluster);
    if !alive || elsewhere {
        return Ok(());
    }
    let seconds = STOP_WITHIN.as_secs().to_string();
    let mut command = owner.command(&binaries.pg_ctl);
    command
        .args(["stop", "-m", "fast", "-w", "-t", &seconds, "-D"])
        .arg(cluster);
    run("pg_ctl stop", &mut command)
}

/// Starts the server and waits until it accepts connections.
pub(super) fn run_until_ready(
    command: &mut Command,
    cluster: &Path,
    log_path: &Path,
) -> Result<Child, PostgresError> {
    // A postmaster that was killed outright leaves its backends to notice; until then a new one
    // refuses to share their memory, and has to be asked again.
    let retry_until = Instant::now() + ORPHANS_LEAVE_WITHIN;
    loop {
        let doing = format!("write {}", log_path.display());
        let log = OpenOptions::new().create(true).append(true).open(log_path);
        let log = log.map_err(io_error(doing.as_str()))?;
        let from = log.metadata().map_err(io_error(doing.as_str()))?.len();
        let errors = log.try_clone().map_err(io_error(doing))?;
        let mut server = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            // Ctrl-C in a terminal goes to the whole group; we must be the one to stop the server,
            // after our own last transaction.
            .process_group(0)
            .spawn()
            .map_err(io_error("run postgres"))?;

        let ended = wait_until_ready(&mut server, cluster)?;
        if !ended {
            return Ok(server);
        }
        let output = last_lines(log_path, from);
        let orphans = output.contains("pre-existing shared memory block");
        if !orphans || Instant::now() > retry_until {
            return Err(PostgresError::Failed {
                program: "postgres",
                output,
            });
        }
        sleep(POLL * 10);
    }
}

/// Waits until the server is ready (`false`) or has ended (`true`).
fn wait_until_ready(server: &mut Child, cluster: &Path) -> Result<bool, PostgresError> {
    let pid = server.id().to_string();
    let deadline = Instant::now() + START_WITHIN;
    loop {
        let status = server.try_wait();
        if status.map_err(io_error("wait for PostgreSQL"))?.is_some() {
            return Ok(true);
        }
        // The eighth line is what `pg_ctl --wait` goes by, too.
        let ours = postmaster_line(cluster, 0).as_deref() == Some(pid.as_str());
        if ours && postmaster_line(cluster, 7).as_deref() == Some("ready") {
            return Ok(false);
        }
        if Instant::now() > deadline {
            // Unlike a stopped server a killed one is safe to leave: the next start recovers.
            let _ = server.kill();
            let _ = server.wait();
            return Ok(true);
        }
        sleep(POLL);
    }
}

/// A line of the file in which a running server describes itself.
fn postmaster_line(cluster: &Path, number: usize) -> Option<String> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    Some(text.lines().nth(number)?.trim().to_owned())
}

/// Runs one of PostgreSQL's tools to its end.
pub(super) fn run(program: &'static str, command: &mut Command) -> Result<(), PostgresError> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(io_error(format!("run {program}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(PostgresError::Failed {
        program,
        output: last_lines_of(&String::from_utf8_lossy(&said)),
    })
}

/// The end of what was written to the log since it was `from` bytes long.
fn last_lines(log: &Path, from: u64) -> String {
    let mut said = Vec::new();
    let read = File::open(log).and_then(|mut file| {
        file.seek(SeekFrom::Start(from))?;
        file.take(1 << 20).read_to_end(&mut said)
    });
    match read {
        Ok(_) => last_lines_of(&String::from_utf8_lossy(&said)),
        Err(error) => format!("its log {} can't be read: {error}", log.display()),
    }
}

fn last_lines_of(text: &str) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
