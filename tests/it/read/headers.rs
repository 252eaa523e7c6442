//! Every header of contract §6, on 200 and 304, for each form and coding.

use std::io::Read as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lockstep_core::digest::Sha256;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::index::TestIndex;
use reqwest::Method;

use super::{HTML, HTML_V1, JSON_V1, sample, upload};
use crate::http::{Got, ask, get};

fn gunzip(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

/// What 200 and 304 have in common.
fn check_headers(got: &Got, what: &str, identity: &[u8], key: &str, vary: &str) {
    let digest = BASE64_STANDARD.encode(Sha256::of(identity).as_bytes());
    assert_eq!(
        got.header("unencoded-digest"),
        format!("sha-256=:{digest}:"),
        "{what}"
    );
    assert_eq!(got.header("vary").to_lowercase(), vary, "{what}");
    assert_eq!(got.header("surrogate-key"), key, "{what}");
    assert!(
        got.header("surrogate-control").starts_with("max-age="),
        "{what}"
    );
    assert_eq!(
        got.header("cache-control"),
        "max-age=0, must-revalidate",
        "{what}"
    );
    assert_eq!(got.header("access-control-allow-origin"), "*", "{what}");
    let exposed = got.header("access-control-expose-headers").to_lowercase();
    assert!(exposed.contains("x-pypi-last-serial"), "{what}: {exposed}");
    assert!(
        got.header("x-pypi-last-serial")
            .parse::<u64>()
            .is_ok_and(|it| it > 0),
        "{what}"
    );
    let etag = got.header("etag");
    assert!(
        etag.starts_with('"') && etag.ends_with('"') && etag.len() > 40,
        "{what}: {etag}"
    );
}

pub(super) async fn check_page(
    index: &TestIndex,
    path: &str,
    accept: &str,
    content_type: &str,
    key: &str,
    vary: &str,
) -> anyhow::Result<()> {
    let plain = get(index, path, &[("accept", accept)]).await?;
    let what = format!("{path} as {accept}");
    assert_eq!(
        (plain.status, plain.header("content-type")),
        (200, content_type),
        "{what}"
    );
    assert_eq!(
        plain.header("content-encoding"),
        "",
        "{what}: gzip was not asked for"
    );
    assert_eq!(
        plain.header("content-length"),
        plain.body.len().to_string(),
        "{what}"
    );
    check_headers(&plain, &what, &plain.body, key, vary);

    let gzip = get(
        index,
        path,
        &[("accept", accept), ("accept-encoding", "gzip")],
    )
    .await?;
    let coded = gzip.header("content-encoding") == "gzip";
    // A page of a few bytes may stay as it is; a project's page is longer than that.
    assert!(
        coded || plain.body.len() < 200,
        "{what}: {} bytes plain",
        plain.body.len()
    );
    let unzipped = if coded {
        gunzip(&gzip.body)?
    } else {
        gzip.body.clone()
    };
    assert!(
        unzipped == plain.body,
        "{what}: both codings hold the same text"
    );
    check_headers(&gzip, &format!("{what}, gzip"), &plain.body, key, vary);
    assert_eq!(
        gzip.header("etag") != plain.header("etag"),
        coded,
        "{what}: strong tags"
    );

    for known in [&plain, &gzip] {
        let tag = known.header("etag");
        for sent in [tag.to_owned(), format!("\"other\", W/{tag}")] {
            let headers = [("accept", accept), ("if-none-match", &sent)];
            let got = get(index, path, &headers).await?;
            assert_eq!((got.status, got.body.len()), (304, 0), "{what}: {sent}");
            check_headers(&got, &format!("{what}, 304"), &plain.body, key, vary);
            assert_eq!(got.header("etag"), tag, "{what}: the tag that it has");
            assert_eq!(
                got.header("x-pypi-last-serial"),
                plain.header("x-pypi-last-serial")
            );
        }
    }
    let changed = get(
        index,
        path,
        &[("accept", accept), ("if-none-match", "\"other\"")],
    )
    .await?;
    assert_eq!(changed.status, 200, "{what}");

    let head = ask(index, Method::HEAD, path, &[("accept", accept)]).await?;
    assert_eq!((head.status, head.body.len()), (200, 0), "{what}: HEAD");
    check_headers(&head, &format!("{what}, HEAD"), &plain.body, key, vary);
    assert_eq!(
        head.header("content-length"),
        plain.body.len().to_string(),
        "{what}: HEAD"
    );

    let options = ask(index, Method::OPTIONS, path, &[]).await?;
    assert_eq!(options.status, 200, "{what}: OPTIONS");
    assert_eq!(
        options.header("access-control-allow-origin"),
        "*",
        "{what}: OPTIONS"
    );
    assert!(
        options
            .header("access-control-allow-headers")
            .contains("x-min-serial"),
        "{what}"
    );
    let post = ask(index, Method::POST, path, &[]).await?;
    assert_eq!(post.status, 405, "{what}: POST");
    Ok(())
}

#[tokio::test]
async fn each_form_and_coding_has_all_headers() -> anyhow::Result<()> {
    let index = sample().await?;
    let vary = "accept, accept-encoding";
    for (accept, content_type) in [
        (HTML, "text/html; charset=UTF-8"),
        (HTML_V1, HTML_V1),
        (JSON_V1, JSON_V1),
    ] {
        let project = "/simple/sample-project/";
        check_page(
            &index,
            project,
            accept,
            content_type,
            "project-sample-project",
            vary,
        )
        .await?;
        check_page(
            &index,
            "/simple/",
            accept,
            content_type,
            "simple-index",
            vary,
        )
        .await?;
    }
    // One form only; the contract promises the same headers all the same.
    for path in ["/pypi/sample-project/json", "/pypi/sample-project/1.0/json"] {
        let key = "project-sample-project";
        check_page(&index, path, "*/*", "application/json", key, vary).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_serial_never_falls_and_the_body_shows_the_same() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let mut last = 0;
    for number in 1..5 {
        let version = format!("{number}.0");
        let dist = wheel("sample", &version, &Opts::default());
        let answer = upload(&index, "sample", &version, &dist).await?;
        let serial = answer.serial.unwrap_or_default();
        assert!(serial > last);
        last = serial;
        // Fresh at once, before it is announced.
        let html = get(&index, "/simple/sample/", &[]).await?;
        assert_eq!(html.header("x-pypi-last-serial"), serial.to_string());
        assert!(
            html.text().ends_with(&format!("<!--SERIAL {serial}-->")),
            "{}",
            html.text()
        );
        let json = get(&index, "/simple/sample/", &[("accept", JSON_V1)]).await?;
        assert_eq!(json.json()?["meta"]["_last-serial"], serial);
        let legacy = get(&index, "/pypi/sample/json", &[]).await?;
        assert_eq!(legacy.header("x-pypi-last-serial"), serial.to_string());
        assert_eq!(legacy.json()?["last_serial"], serial);
        assert_eq!(legacy.json()?["info"]["version"], version);
    }
    Ok(())
}

#[tokio::test]
async fn accept_is_read_as_the_public_index_reads_it() -> anyhow::Result<()> {
    let index = sample().await?;
    let html = "text/html; charset=UTF-8";
    let pip = format!("{JSON_V1}, {HTML_V1}; q=0.1, text/html; q=0.01");
    for (accept, wanted) in [
        (pip.as_str(), JSON_V1),
        ("*/*", html),
        ("", html),
        ("application/json", html),
        ("application/vnd.pypi.simple.v2+json", html),
        ("application/*", HTML_V1),
        (
            "text/html;q=0.1, application/vnd.pypi.simple.v1+json;q=0.2",
            JSON_V1,
        ),
        ("application/vnd.pypi.simple.v1+json;q=0, */*", html),
        ("not / a, header;;", html),
    ] {
        for path in ["/simple/", "/simple/sample-project/"] {
            let got = get(&index, path, &[("accept", accept)]).await?;
            assert_eq!(
                (got.status, got.header("content-type")),
                (200, wanted),
                "{path} {accept}"
            );
        }
    }
    Ok(())
}
