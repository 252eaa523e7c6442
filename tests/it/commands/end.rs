//! How a process ends, and how it does not begin.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::{BOUNDARY, Form};
use lockstep_tests::index::{Options, PATIENCE, TOKEN, TestIndex};

use super::{stderr, upload};
use crate::http::connect;

/// Tells the process to end, without waiting for it.
fn terminate(index: &TestIndex) -> anyhow::Result<()> {
    let process = index.process_id().context("not running")?.to_string();
    ensure!(
        Command::new("kill")
            .args(["-TERM", &process])
            .status()?
            .success(),
        "kill failed"
    );
    Ok(())
}

#[test]
fn a_running_upload_is_finished_and_answered() -> anyhow::Result<()> {
    let mut index = TestIndex::start()?;
    let dist = wheel(
        "sample",
        "1.0",
        &Opts {
            payload: 300_000,
            ..Opts::default()
        },
    );
    let body = Form::of("sample", "1.0", &dist).body();
    let mut stream = connect(&index)?;
    write!(
        stream,
        "POST /legacy/ HTTP/1.1\r\nHost: index\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Length: {}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body[..100_000])?;
    // It has to have begun: what is not begun may be refused.
    let deadline = Instant::now() + PATIENCE;
    while std::fs::read_dir(index.blobs().join(".spool"))?
        .next()
        .is_none()
    {
        ensure!(Instant::now() < deadline, "the upload was not begun");
    }
    terminate(&index)?;
    while !index.log().contains("shutting down") {
        ensure!(Instant::now() < deadline, "SIGTERM was not noticed");
    }
    stream.write_all(&body[100_000..])?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(index.stop()?, "exit code 0:\n{}", index.log());
    assert_eq!(index.database().query("select value from serials")?, "3");
    index.restart()?;
    index.settle()?;
    index.fsck()
}

#[tokio::test]
async fn leases_are_given_back() -> anyhow::Result<()> {
    // A CDN that takes the call and never answers: the purge is out when the process has to end.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let settings = format!(
        "[[cdn]]\nname = 'silent'\nkind = 'varnish'\nurl = 'http://{}'\n",
        silent.local_addr()?
    );
    let mut index = TestIndex::with(Options {
        settings,
        leftovers: true,
        ..Options::default()
    })?;
    assert_eq!(upload(&index, "1.0", TOKEN).await?.status, 200);
    let leased = "select count(*) from purges where leased_by is not null";
    let deadline = Instant::now() + PATIENCE;
    while index.database().query(leased)? != "1" {
        ensure!(Instant::now() < deadline, "the purge was not claimed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let started = Instant::now();
    assert!(index.stop()?, "exit code 0:\n{}", index.log());
    eprintln!(
        "ended {:?} after SIGTERM, with a CDN that does not answer",
        started.elapsed()
    );
    assert_eq!(index.database().query(leased)?, "0");
    assert_eq!(
        index
            .database()
            .query("select count(*) from purges where acknowledged_at is null")?,
        "1"
    );
    Ok(())
}

#[test]
fn an_idle_process_ends_at_once() -> anyhow::Result<()> {
    let mut index = TestIndex::start()?;
    // A client that keeps its connection open must not hold up the end.
    let mut stream = connect(&index)?;
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: index\r\n\r\n")?;
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    let started = Instant::now();
    assert!(index.stop()?, "exit code 0:\n{}", index.log());
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "it took {:?}",
        started.elapsed()
    );
    Ok(())
}

#[tokio::test]
async fn a_waiting_mirror_does_not_hold_up_the_end() -> anyhow::Result<()> {
    let mut index = TestIndex::start()?;
    let url = format!("{}/changelog/?since=0&wait=60", index.url());
    let waiting = tokio::spawn(async move { reqwest::get(url).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let started = Instant::now();
    assert!(index.stop()?, "exit code 0:\n{}", index.log());
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "it took {:?}",
        started.elapsed()
    );
    assert_eq!(
        waiting.await??.status(),
        200,
        "an empty answer, not a cut connection"
    );
    Ok(())
}

#[test]
fn a_port_in_use_is_told_with_a_remedy() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let output = index.try_lockstep(&["serve"])?;
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let says = format!(
        "can't listen on {}; is something else running there?",
        index.address()
    );
    assert!(
        text.contains(&says) && text.contains("Set `listen`"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn no_log_holds_a_secret() -> anyhow::Result<()> {
    let secret = "a-purge-token-that-nobody-may-read";
    let settings = format!(
        "[[cdn]]\nname = 'fastly'\nkind = 'fastly'\nservice_id = 'abc'\ntoken = '{secret}'\n\
         api_url = 'http://127.0.0.1:9'\n"
    );
    let mut index = TestIndex::with(Options {
        settings,
        leftovers: true,
        ..Options::default()
    })?;
    assert_eq!(upload(&index, "1.0", TOKEN).await?.status, 200);
    assert_eq!(
        upload(&index, "2.0", "lsk_wrong-but-secret").await?.status,
        403
    );
    let deadline = Instant::now() + PATIENCE;
    while !index.log().contains("purge failed") {
        ensure!(
            Instant::now() < deadline,
            "no purge failed:\n{}",
            index.log()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(index.stop()?);
    let log = index.log();
    for secret in [secret, &TOKEN[4..], "wrong-but-secret"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
    Ok(())
}
