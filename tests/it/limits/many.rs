//! Many at a time: connections, uploads, and statements that hold up others.

use std::io::Write as _;

use lockstep_tests::index::TestIndex;

use super::{
    form, half_an_upload, index_with, others_are_served, until_closed, upload, wait_until,
};
use crate::http::{connect, get, head_of_answer};
use crate::refusals::state::State;

const ASK: &[u8] = b"GET /simple/ HTTP/1.1\r\nHost: index\r\n\r\n";

#[test]
fn one_connection_too_many_is_told_to_come_back() -> anyhow::Result<()> {
    let index = index_with("[limits]\nmax_connections = 3\n")?;
    let before = State::of(&index)?;
    // Those of the harness, which asked whether the index listens, are gone when three get an answer.
    let mut held = Vec::new();
    wait_until("there are three connections", || {
        Ok(others_are_served(&index).is_ok())
    })?;
    while held.len() < 3 {
        let mut stream = connect(&index)?;
        if head_of_answer(&mut stream, ASK)?.starts_with("HTTP/1.1 200") {
            held.push(stream);
        }
    }
    for _ in 0..5 {
        let mut stream = connect(&index)?;
        let _ = stream.write_all(ASK);
        let said = until_closed(stream)?;
        assert!(
            said.starts_with("HTTP/1.1 503 Service Unavailable\r\n"),
            "{said}"
        );
        assert!(said.contains("retry-after: 1\r\n"), "{said}");
        assert!(
            said.ends_with("\r\n\r\nToo many connections at a time; try again in a while"),
            "{said}"
        );
        // Who is in is served.
        for stream in &mut held {
            // The body of the last answer comes first.
            let answer = head_of_answer(stream, ASK)?;
            assert!(answer.contains("HTTP/1.1 200"), "{answer}");
        }
    }
    let told = index.log().matches("as many connections as").count();
    assert_eq!(told, 1, "once, however many there were:\n{}", index.log());
    held.pop();
    wait_until(
        "the place is free",
        || Ok(others_are_served(&index).is_ok()),
    )?;
    assert_eq!(State::of(&index)?, before);
    Ok(())
}

#[tokio::test]
async fn one_upload_too_many_waits_for_a_while() -> anyhow::Result<()> {
    let index = index_with("[upload]\nmax_concurrent = 1\nmax_wait = '200ms'\n")?;
    let body = form("alpha", 300_000).body();
    let mut first = half_an_upload(&index, &body)?;
    let before = State::of(&index)?;
    let got = upload(&index, &form("beta", 10)).await?;
    assert_eq!((got.status, got.header("retry-after")), (503, "5"));
    assert!(
        got.text().contains("1 uploads are being taken already"),
        "{}",
        got.text()
    );
    assert_eq!(State::of(&index)?, before);
    others_are_served(&index)?;
    assert!(!index.log().contains("\"ERROR\""), "{}", index.log());
    let answer = head_of_answer(&mut first, &body[body.len() / 2..])?;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert_eq!(upload(&index, &form("beta", 10)).await?.status, 200);
    // An upload whose client goes away leaves its place.
    drop(half_an_upload(&index, &form("gamma", 300_000).body())?);
    wait_until("the spool is empty", || {
        crate::refusals::state::spool_is_empty(&index)
    })?;
    assert_eq!(upload(&index, &form("delta", 10)).await?.status, 200);
    Ok(())
}

/// Holds a table, so that every statement on it waits, until it is told to end.
fn hold<T>(
    index: &TestIndex,
    table: &str,
    meanwhile: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let database = index.database();
    std::thread::scope(|scope| {
        let lock = format!("lock table {table} in access exclusive mode; select pg_sleep(60)");
        let holder = scope.spawn(move || database.query(&lock));
        let held = format!(
            "select pid from pg_locks where relation = '{table}'::regclass and granted \
             and mode = 'AccessExclusiveLock'"
        );
        wait_until("the table is held", || {
            Ok(!database.query(&held)?.is_empty())
        })?;
        let done = meanwhile();
        database.query(&format!(
            "select pg_terminate_backend({})",
            database.query(&held)?
        ))?;
        let _ = holder.join();
        done
    })
}

#[test]
fn a_statement_that_takes_too_long_is_given_up() -> anyhow::Result<()> {
    let index = index_with("[limits]\nquery_timeout = '300ms'\n")?;
    let runtime = tokio::runtime::Runtime::new()?;
    assert_eq!(
        runtime.block_on(upload(&index, &form("alpha", 10)))?.status,
        200
    );
    index.settle()?;
    let before = State::of(&index)?;
    let ask = |path: &'static str| runtime.block_on(get(&index, path, &[]));
    hold(&index, "files", || {
        let got = ask("/pypi/alpha/json")?;
        assert_eq!(
            (got.status, got.header("retry-after")),
            (503, "1"),
            "{}",
            got.text()
        );
        assert!(
            got.text().contains("took too long to answer"),
            "{}",
            got.text()
        );
        // An upload waits no longer, either; and what needs nothing of it is served.
        let got = runtime.block_on(upload(&index, &form("beta", 10)))?;
        assert_eq!(
            (got.status, got.header("retry-after")),
            (503, "1"),
            "{}",
            got.text()
        );
        others_are_served(&index)
    })?;
    assert_eq!(State::of(&index)?.rows, before.rows);
    assert_eq!(ask("/pypi/alpha/json")?.status, 200);
    assert_eq!(
        runtime.block_on(upload(&index, &form("beta", 10)))?.status,
        200
    );
    Ok(())
}

#[tokio::test]
async fn reads_of_the_whole_index_take_turns() -> anyhow::Result<()> {
    let index = index_with("[limits]\nmax_bulk_reads = 1\n")?;
    assert_eq!(upload(&index, &form("alpha", 10)).await?.status, 200);
    index.settle()?;
    let all = (0..20).map(|_| get(&index, "/snapshot/3", &[]));
    for got in futures_util::future::try_join_all(all).await? {
        assert_eq!((got.status, got.text().lines().count()), (200, 1));
    }
    Ok(())
}
