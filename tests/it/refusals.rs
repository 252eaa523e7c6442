//! What is refused, with which words, and that a refusal changes nothing: not a row, not a serial,
//! not a file on the disk.

mod accepted;
mod archives;
mod connection;
mod forms;
mod metadata;
mod names;
mod real;
mod releases;
pub(crate) mod state;
mod tokens;
mod wheels;

use lockstep_tests::dist::{Dist, Opts, wheel};
use lockstep_tests::form::{BOUNDARY, Form};
use lockstep_tests::index::{Options, TestIndex};

use crate::http::{Got, client, finish};
use state::State;

/// An upload that must be refused.
struct Row {
    mischief: &'static str,
    token: String,
    content_type: String,
    body: Vec<u8>,
    status: u16,
    says: &'static str,
}

/// A row whose form is well-formed multipart.
fn row(mischief: &'static str, status: u16, says: &'static str, form: &Form) -> Row {
    Row {
        mischief,
        token: form.token.clone(),
        content_type: format!("multipart/form-data; boundary={BOUNDARY}"),
        body: form.body(),
        status,
        says,
    }
}

/// A small limit, so that tests of it send little.
fn small_limit() -> Options {
    Options {
        settings: "[upload]\nmax_file_size = '1 MiB'\n".to_owned(),
        ..Options::default()
    }
}

fn plain_wheel(name: &str, version: &str) -> Dist {
    wheel(name, version, &Opts::default())
}

/// The same archive under another file name.
fn renamed(mut dist: Dist, filename: &str) -> Dist {
    filename.clone_into(&mut dist.filename);
    dist
}

/// Puts `new` where `old` stands in a body.
fn replace(body: &mut Vec<u8>, old: &[u8], new: &[u8]) {
    let at = body.windows(old.len()).position(|bytes| bytes == old);
    let at = at.expect("it is there");
    body.splice(at..at + old.len(), new.iter().copied());
}

async fn send(index: &TestIndex, row: &Row, accept: &str) -> anyhow::Result<Got> {
    let mut request = client()?
        .post(format!("{}/legacy/", index.url()))
        .header("content-type", &row.content_type)
        .header("accept", accept)
        .body(row.body.clone());
    if !row.token.is_empty() {
        request = request.basic_auth("__token__", Some(&row.token));
    }
    finish(request).await
}

/// Sends each row and holds the answer and the index's state against what they must be; prints the
/// table, and fails after it, so that one run shows every difference.
async fn check(index: &TestIndex, rows: &[Row]) -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    eprintln!("{:44} {:6} nothing changed  sentence", "input", "answer");
    for row in rows {
        let before = State::of(index)?;
        let got = send(index, row, "*/*").await?;
        let text = got.text();
        let unchanged = State::of(index)? == before && state::spool_is_empty(index)?;
        eprintln!(
            "{:44} {:<6} {unchanged:15}  {}",
            row.mischief,
            got.status,
            text.trim()
        );
        if got.status != row.status || !text.contains(row.says) || !unchanged {
            wrong.push(format!(
                "{}: wanted {} … {}",
                row.mischief, row.status, row.says
            ));
        }
        // One sentence on one line, for people.
        if text.trim().lines().count() != 1 {
            wrong.push(format!("{}: not one line", row.mischief));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}
