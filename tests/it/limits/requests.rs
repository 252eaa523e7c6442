//! Requests that are too large in any of their parts.

use std::fmt::Write as _;

use lockstep_tests::form::BOUNDARY;
use lockstep_tests::index::TOKEN;

use super::{form, half_an_upload, index_with, others_are_served};
use crate::http::{connect, head_of_answer};
use crate::refusals::state::{State, spool_is_empty};

const SETTINGS: &str = "[limits]\nmax_url_length = '200 B'\nmax_headers = 10\n\
    max_header_size = '1000 B'\nmax_body_size = '500 B'\n\
    [upload]\nmax_fields = 20\nmax_fields_size = '2000 B'\nmax_file_size = '1 MiB'\n";

fn headers(count: usize) -> String {
    (0..count).fold(String::new(), |mut all, n| {
        let _ = write!(all, "X-{n}: y\r\n");
        all
    })
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: index\r\n{headers}\r\n").into_bytes()
}

fn post(path: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: index\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn fields(count: usize, name: &str, value: &str) -> Vec<u8> {
    let one = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
    );
    format!("{}--{BOUNDARY}--\r\n", one.repeat(count)).into_bytes()
}

#[test]
fn each_part_of_a_request_has_a_limit_with_an_answer() -> anyhow::Result<()> {
    let index = index_with(SETTINGS)?;
    let multipart = format!("multipart/form-data; boundary={BOUNDARY}");
    let upload = |body: Vec<u8>| post("/legacy/", &multipart, &body);
    let path = |length: usize| format!("/{}", "a".repeat(length - 1));
    let yank = "/api/projects/sample/releases/1.0/yank";
    let long = "x".repeat(3000);
    let reason = |length: usize| format!("{{\"reason\": \"{}\"}}", "x".repeat(length));
    // A head that goes on for longer than any part of a form has reason to.
    let endless = [
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"").into_bytes(),
        vec![b'x'; 2_500_000],
    ]
    .concat();
    let endless_head = format!(
        "POST /legacy/ HTTP/1.1\r\nHost: index\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: {multipart}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        endless.len()
    );
    let endless = [endless_head.into_bytes(), endless].concat();
    let before = State::of(&index)?;
    for (input, request, answer) in [
        ("an address as long as may be", get(&path(200), ""), "404 "),
        ("one byte more", get(&path(201), ""), "414 "),
        (
            "… of it in the query",
            get(&format!("/simple/?{}", path(200)), ""),
            "414 ",
        ),
        ("an address far too long", get(&path(30_000), ""), "431 "),
        (
            "as many headers as may be",
            get("/simple/", &headers(9)),
            "200 ",
        ),
        ("one more", get("/simple/", &headers(10)), "431 "),
        ("far too many", get("/simple/", &headers(200)), "431 "),
        (
            "headers too large",
            get("/simple/", &format!("X: {}\r\n", &long[..1300])),
            "431 ",
        ),
        (
            "headers far too large",
            get("/simple/", &format!("X: {long}\r\n")),
            "431 ",
        ),
        (
            "a GET with a body that never comes",
            get("/simple/", "Content-Length: 99999999\r\n"),
            "200 ",
        ),
        (
            "an order's body as large as may be",
            post(yank, "", reason(400).as_bytes()),
            "404 ",
        ),
        (
            "a larger one",
            post(yank, "", reason(600).as_bytes()),
            "413 ",
        ),
        (
            "as many fields as may be",
            upload(fields(20, "a", "b")),
            "400 :action",
        ),
        ("one more", upload(fields(21, "a", "b")), "413 "),
        ("one more, all empty", upload(fields(21, "a", "")), "413 "),
        (
            "fields too large",
            upload(fields(1, "description", &long)),
            "413 ",
        ),
        (
            "names of fields too large",
            upload(fields(1, &long, "")),
            "413 ",
        ),
        ("a part's head without an end", endless, "413 "),
    ] {
        let got = head_of_answer(&mut connect(&index)?, &request)?;
        let status = format!("HTTP/1.1 {answer}");
        eprintln!("{input:44} {}", got.lines().next().unwrap_or_default());
        assert!(got.starts_with(&status), "{input}: {got}");
        others_are_served(&index)?;
        assert_eq!(State::of(&index)?, before, "{input}");
    }
    assert!(spool_is_empty(&index)?);
    // Sentences say what was seen and what is taken.
    let got = head_and_body(&index, &get(&path(201), "Connection: close\r\n"))?;
    assert!(
        got.contains("has 201 bytes; at most 200 B are taken"),
        "{got}"
    );
    let got = head_and_body(
        &index,
        &get("/simple/", &format!("Connection: close\r\n{}", headers(9))),
    )?;
    assert!(
        got.contains("has 11 headers; at most 10 are taken"),
        "{got}"
    );
    // None of it is news for the log.
    assert!(
        !index.log().contains("\"WARN\"") && !index.log().contains("\"ERROR\""),
        "{}",
        index.log()
    );
    Ok(())
}

fn head_and_body(
    index: &lockstep_tests::index::TestIndex,
    request: &[u8],
) -> anyhow::Result<String> {
    use std::io::Write as _;
    let mut stream = connect(index)?;
    stream.write_all(request)?;
    super::until_closed(stream)
}

#[test]
fn a_call_that_is_too_large_is_a_fault() -> anyhow::Result<()> {
    let index = index_with(SETTINGS)?;
    let call = format!("<methodCall>{}</methodCall>", " ".repeat(500));
    let got = head_and_body(&index, &post("/pypi", "text/xml", call.as_bytes()))?;
    assert!(got.contains("larger than 500 bytes"), "{got}");
    others_are_served(&index)
}

#[test]
fn who_asks_first_whether_to_send_is_told() -> anyhow::Result<()> {
    use std::io::Write as _;
    let index = index_with("")?;
    let body = form("beta", 1000).body();
    let mut stream = connect(&index)?;
    let head =
        super::head_of_upload(body.len()).replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    let first = head_of_answer(&mut stream, head.as_bytes())?;
    assert_eq!(first, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&body)?;
    let answer = head_of_answer(&mut stream, b"")?;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    // And one that is not told to is not waited for: the refusal comes instead.
    let refused = head.replace(TOKEN, "lsk_nobody-has-this");
    let answer = head_of_answer(&mut connect(&index)?, refused.as_bytes())?;
    assert!(answer.contains("403 Invalid authentication"), "{answer}");
    drop(half_an_upload(&index, &body)?);
    Ok(())
}
