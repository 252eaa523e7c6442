//! What one client may ask, and all together: each limit has its answer, what is refused changes
//! nothing, and others are served meanwhile.

mod log_ins;
mod many;
mod requests;
mod secrets;
mod slow;
mod uploads;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::{BOUNDARY, Form};
use lockstep_tests::index::{Options, PATIENCE, TOKEN, TestIndex};
use reqwest::RequestBuilder;

use crate::http::{Got, client, connect, finish, head_of_answer};

fn index_with(settings: &str) -> anyhow::Result<TestIndex> {
    TestIndex::with(Options {
        settings: settings.to_owned(),
        ..Options::default()
    })
}

/// Somebody else asks, on a connection of his own.
fn others_are_served(index: &TestIndex) -> anyhow::Result<()> {
    let request = b"GET /simple/ HTTP/1.1\r\nHost: index\r\nConnection: close\r\n\r\n";
    let answer = head_of_answer(&mut connect(index)?, request)?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(())
}

/// What comes until the server closes; a connection that was reset is closed as well.
fn until_closed(mut stream: TcpStream) -> anyhow::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut text = Vec::new();
    let mut bytes = [0; 4096];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) => text.extend_from_slice(&bytes[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                bail!("not closed: {}", String::from_utf8_lossy(&text))
            }
            Err(_) => break,
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The form of a project that there is not yet, as an upload by the library or by hand.
fn form(project: &str, payload: usize) -> Form {
    let opts = Opts {
        payload,
        ..Opts::default()
    };
    Form::of(project, "1.0", &wheel(project, "1.0", &opts))
}

fn request_of(index: &TestIndex, form: &Form) -> anyhow::Result<RequestBuilder> {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    Ok(client()?
        .post(format!("{}/legacy/", index.url()))
        .header("content-type", kind)
        .basic_auth("__token__", Some(&form.token))
        .body(form.body()))
}

async fn upload(index: &TestIndex, form: &Form) -> anyhow::Result<Got> {
    finish(request_of(index, form)?).await
}

/// The head of an upload by hand.
fn head_of_upload(length: usize) -> String {
    format!(
        "POST /legacy/ HTTP/1.1\r\nHost: index\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Length: {length}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    )
}

/// Begins an upload, sends half of its body, and waits until that is being spooled.
fn half_an_upload(index: &TestIndex, body: &[u8]) -> anyhow::Result<TcpStream> {
    let mut stream = connect(index)?;
    stream.write_all(head_of_upload(body.len()).as_bytes())?;
    stream.write_all(&body[..body.len() / 2])?;
    let spool = index.blobs().join(".spool");
    wait_until("the upload has begun", || {
        Ok(std::fs::read_dir(&spool)?.next().is_some())
    })?;
    Ok(stream)
}

fn wait_until(what: &str, so: impl Fn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !so().context(what.to_owned())? {
        ensure!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    Ok(())
}
