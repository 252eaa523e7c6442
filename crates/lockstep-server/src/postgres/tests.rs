//! The real thing: each test starts real servers.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::*;

/// A folder that the user `postgres` can enter, as `--data` has to be.
fn data_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("opened");
    folder
}

fn psql(url: &str, sql: &str) -> String {
    let output = Command::new("psql")
        .args(["-X", "-A", "-t", "-c", sql, url])
        .output()
        .expect("psql is installed with the server");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn a_cluster_keeps_its_rows_over_stops_crashes_and_left_overs() {
    let folder = data_folder();
    let start = || PrivatePostgres::start(folder.path(), Durability::Safe).expect("started");

    let first = start();
    psql(&first.url("postgres"), "create table kept (number int)");
    psql(&first.url("postgres"), "insert into kept values (1)");
    let server = psql(&first.url("postgres"), "show server_encoding");
    assert_eq!(server, "UTF8");
    assert_eq!(psql(&first.url("postgres"), "show listen_addresses"), "");

    // One process per folder.
    let second = PrivatePostgres::start(folder.path(), Durability::Safe);
    assert!(matches!(second, Err(PostgresError::InUse { .. })));
    first.stop().expect("stopped");

    // The postmaster is killed outright.
    let mut crashed = start();
    psql(&crashed.url("postgres"), "insert into kept values (2)");
    crashed.server.kill().expect("killed");
    crashed.server.wait().expect("gone");
    drop(crashed);

    // We are killed, and the server stays: it has no parent that would stop it, or a lock.
    let left = start();
    psql(&left.url("postgres"), "insert into kept values (3)");
    left.lock.unlock().expect("unlocked");
    let last = start();
    let rows = psql(&last.url("postgres"), "select sum(number) from kept");
    assert_eq!(rows, "6");
    drop(left);
    last.stop().expect("stopped");
}

#[test]
fn a_long_path_gets_its_socket_elsewhere() {
    let folder = data_folder();
    let long = folder.path().join("long-".repeat(20));
    let server = PrivatePostgres::start(&long, Durability::Volatile).expect("started");
    assert_eq!(psql(&server.url("postgres"), "select 1"), "1");
    let sockets = server.socket_folder.clone();
    assert!(!sockets.starts_with(&long));
    server.stop().expect("stopped");
    assert!(!sockets.exists());
}

#[test]
fn a_closed_folder_is_named_with_a_remedy() {
    if !rustix::process::geteuid().is_root() {
        return; // Then PostgreSQL is run by the same user, who can enter.
    }
    let closed = data_folder();
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).expect("closed");
    let error = PrivatePostgres::start(&closed.path().join("data"), Durability::Volatile)
        .expect_err("closed");
    let message = error.to_string();
    assert!(
        matches!(error, PostgresError::Unreachable { .. }),
        "{message}"
    );
    assert!(message.contains("/var/lib/lockstep"), "{message}");
}

#[test]
fn the_end_of_the_log_explains_a_failure() {
    let folder = data_folder();
    PrivatePostgres::start(folder.path(), Durability::Volatile)
        .and_then(PrivatePostgres::stop)
        .expect("made");
    let settings = folder.path().join("postgres/postgresql.conf");
    let text = fs::read_to_string(&settings).expect("settings");
    fs::write(&settings, text + "\nno_such_setting = 1\n").expect("spoilt");
    let error =
        PrivatePostgres::start(folder.path(), Durability::Volatile).expect_err("spoilt settings");
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}
