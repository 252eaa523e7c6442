//! Clients that are slow on purpose, or not there any more.

use std::io::Write as _;
use std::net::Shutdown;
use std::thread;
use std::time::Duration;

use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::index::TestIndex;

use super::{
    form, head_of_upload, index_with, others_are_served, until_closed, upload, wait_until,
};
use crate::http::{connect, get, head_of_answer};
use crate::refusals::state::{State, spool_is_empty};

const SETTINGS: &str = "[limits]\nhead_timeout = '400ms'\nidle_timeout = '800ms'\n\
    body_timeout = '1s'\nmin_body_rate = '10 KiB'\nanswer_timeout = '500ms'\n";

/// Sends `first` at once and then `drop` again and again, until the server closes; gives back what it
/// said.
fn dribble(index: &TestIndex, first: &str, drop: &str) -> anyhow::Result<String> {
    let mut stream = connect(index)?;
    stream.write_all(first.as_bytes())?;
    let hearing = stream.try_clone()?;
    let heard = thread::spawn(move || until_closed(hearing));
    while !heard.is_finished() {
        others_are_served(index)?;
        let _ = stream.write_all(drop.as_bytes());
        thread::sleep(Duration::from_millis(40));
    }
    heard
        .join()
        .map_err(|_| anyhow::anyhow!("the reader panicked"))?
}

#[test]
fn who_does_not_come_to_an_end_is_not_waited_for() -> anyhow::Result<()> {
    let index = index_with(SETTINGS)?;
    let before = State::of(&index)?;
    let body = String::from_utf8_lossy(&form("beta", 10).body()[..300]).into_owned();
    let upload = head_of_upload(100_000) + &body;
    let call = "POST /pypi HTTP/1.1\r\nHost: index\r\nContent-Type: text/xml\r\n\
                Content-Length: 10000\r\n\r\n<methodCall>";
    let whole = "GET /simple/ HTTP/1.1\r\nHost: index\r\n\r\n";
    for (input, first, drop, answer) in [
        (
            "a head that stands still",
            "GET /sim",
            "",
            "HTTP/1.1 408 Request Timeout",
        ),
        (
            "a head that dribbles",
            "GET / HTTP/1.1\r\n",
            "X-Y: z\r\n",
            "HTTP/1.1 408 Request Timeout",
        ),
        (
            "a head that dribbles after an answer",
            &format!("{whole}GET"),
            "",
            "HTTP/1.1 200 OK",
        ),
        ("nothing at all", "", "", ""),
        ("nothing more", whole, "", "HTTP/1.1 200 OK"),
        (
            "an upload that stands still",
            &upload,
            "",
            "HTTP/1.1 408 The request's body came too slowly",
        ),
        (
            "an upload that dribbles",
            &upload,
            "x",
            "HTTP/1.1 408 The request's body came too slowly",
        ),
        (
            "a call that dribbles",
            call,
            " ",
            "HTTP/1.1 408 The request's body came too slowly",
        ),
        (
            "a refused upload that dribbles",
            &head_of_upload(100_000).replace("lsk_", "lsk_no"),
            "x",
            "HTTP/1.1 403 ",
        ),
    ] {
        let said = dribble(&index, first, drop)?;
        eprintln!("{input:44} {}", said.lines().next().unwrap_or("closed"));
        assert!(
            said.starts_with(answer) && said.is_empty() == answer.is_empty(),
            "{input}: {said}"
        );
        assert_eq!(State::of(&index)?, before, "{input}");
        assert!(spool_is_empty(&index)?, "{input}");
    }
    assert!(
        !index.log().contains("\"WARN\"") && !index.log().contains("\"ERROR\""),
        "{}",
        index.log()
    );
    Ok(())
}

#[test]
fn a_slow_line_may_take_its_time() -> anyhow::Result<()> {
    let index = index_with(SETTINGS)?;
    let body = form("beta", 300_000).body();
    let mut stream = connect(&index)?;
    stream.write_all(head_of_upload(body.len()).as_bytes())?;
    // Longer in all than a body may stand still.
    for piece in body.chunks(body.len() / 30) {
        stream.write_all(piece)?;
        thread::sleep(Duration::from_millis(50));
    }
    let answer = head_of_answer(&mut stream, b"")?;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn who_takes_nothing_of_its_answer_is_cut_off() -> anyhow::Result<()> {
    let index = index_with(SETTINGS)?;
    // Larger than what the system keeps for a client between the two.
    let opts = Opts {
        payload: 20_000_000,
        ..Opts::default()
    };
    let dist = wheel("beta", "1.0", &opts);
    let form = lockstep_tests::form::Form::of("beta", "1.0", &dist);
    assert_eq!(upload(&index, &form).await?.status, 200);
    let page = get(&index, "/simple/beta/", &[("accept", "text/html")])
        .await?
        .text();
    let path = page
        .split("href=\"../..")
        .nth(1)
        .and_then(|rest| rest.split('#').next())
        .unwrap_or_default()
        .to_owned();
    let mut stream = connect(&index)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: index\r\n\r\n")?;
    // Writing tells that the other side is gone; nothing is read.
    wait_until("it is cut off", || {
        others_are_served(&index)?;
        Ok((&stream).write_all(b"x").is_err())
    })?;
    let _ = stream.shutdown(Shutdown::Both);
    // Who reads gets it all.
    let whole = get(&index, &path, &[]).await?;
    assert_eq!((whole.status, whole.body.len()), (200, dist.bytes.len()));
    Ok(())
}

#[test]
fn who_has_asked_nothing_does_not_hold_up_the_end() -> anyhow::Result<()> {
    let mut index = index_with("")?;
    let silent = connect(&index)?;
    others_are_served(&index)?;
    assert!(index.stop()?, "exit code 0:\n{}", index.log());
    assert!(!index.log().contains("cut short"), "{}", index.log());
    assert_eq!(until_closed(silent)?, "");
    Ok(())
}
