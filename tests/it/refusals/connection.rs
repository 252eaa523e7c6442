//! Requests that end too early, or never: written by hand, as no library sends them.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::ensure;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::{BOUNDARY, Form};
use lockstep_tests::index::{TOKEN, TestIndex};

use super::state::{State, spool_is_empty};
use super::{Row, small_limit};
use crate::http::{connect, head_of_answer};

/// The request's head; `framing` is its Content-Length or Transfer-Encoding line.
fn head(framing: &str) -> Vec<u8> {
    let mut head = "POST /legacy/ HTTP/1.1\r\nHost: index\r\n".to_owned();
    let _ = write!(head, "Authorization: Bearer {TOKEN}\r\n{framing}\r\n");
    let _ = write!(
        head,
        "Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    );
    head.into_bytes()
}

/// Sends a whole request by hand, and returns the answer's status line and headers.
pub(super) fn head_of_whole(index: &TestIndex, row: &Row) -> anyhow::Result<String> {
    let request = [
        head(&format!("Content-Length: {}", row.body.len())),
        row.body.clone(),
    ]
    .concat();
    head_of_answer(&mut connect(index)?, &request)
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

#[test]
fn a_connection_cut_in_the_middle_leaves_nothing() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let before = State::of(&index)?;
    let opts = Opts {
        payload: 500_000,
        ..Opts::default()
    };
    let body = Form::of("beta", "1.0", &wheel("beta", "1.0", &opts)).body();
    for (framing, first) in [
        (
            format!("Content-Length: {}", body.len()),
            body[..300_000].to_vec(),
        ),
        (
            "Transfer-Encoding: chunked".to_owned(),
            chunk(&body[..300_000]),
        ),
    ] {
        let mut stream = connect(&index)?;
        stream.write_all(&head(&framing))?;
        stream.write_all(&first)?;
        drop(stream);
        ensure!(
            spool_is_empty(&index)?,
            "{framing}: the half file is still spooled"
        );
        assert_eq!(State::of(&index)?, before, "{framing}");
    }
    index.fsck()
}

#[test]
fn too_large_by_its_own_account_is_answered_before_the_body_is_read() -> anyhow::Result<()> {
    let index = TestIndex::with(small_limit())?;
    let before = State::of(&index)?;
    let mut stream = connect(&index)?;
    // A tenth of what is promised, and no more: only an answer that does not wait can come.
    let request = [head("Content-Length: 100000000"), vec![b'x'; 10_000]].concat();
    let answer = head_of_answer(&mut stream, &request)?;
    assert!(
        answer.starts_with("HTTP/1.1 413 File too large: the limit"),
        "{answer}"
    );
    drop(stream);
    assert_eq!(State::of(&index)?, before);
    Ok(())
}

#[test]
fn too_large_without_saying_so_is_noticed_on_the_way() -> anyhow::Result<()> {
    let index = TestIndex::with(small_limit())?;
    let before = State::of(&index)?;
    let opts = Opts {
        payload: 3_000_000,
        ..Opts::default()
    };
    let body = Form::of("beta", "1.0", &wheel("beta", "1.0", &opts)).body();
    let mut stream = connect(&index)?;
    // Two of three megabytes, and no end: the limit is one.
    let request = [
        head("Transfer-Encoding: chunked"),
        chunk(&body[..2_000_000]),
    ]
    .concat();
    let answer = head_of_answer(&mut stream, &request)?;
    assert!(
        answer.starts_with("HTTP/1.1 413 File too large: the limit"),
        "{answer}"
    );
    ensure!(spool_is_empty(&index)?, "the refused file is still spooled");
    drop(stream);
    assert_eq!(State::of(&index)?, before);
    Ok(())
}
