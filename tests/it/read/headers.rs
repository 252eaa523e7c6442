//! Every header of a cacheable answer, on 200 and 304, for each form and coding.

use std::collections::BTreeSet;
use std::io::Read as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lockstep_core::digest::Sha256;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::index::TestIndex;
use reqwest::Method;

use super::{HTML, HTML_V1, JSON_V1, sample, upload};
use crate::http::{Got, ask, get};

const ALLOWED: &str = "GET, HEAD, OPTIONS";

type Decode = fn(&[u8]) -> anyhow::Result<Vec<u8>>;

/// What may lie on the wire, and how a client reads it.
const CODINGS: [(&str, Decode); 2] = [("gzip", gunzip), ("zstd", unzstd)];

fn gunzip(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

fn unzstd(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    Ok(zstd::stream::decode_all(bytes)?)
}

/// A digest as RFC 9530 writes it.
fn digest_of(bytes: &[u8]) -> String {
    let digest = BASE64_STANDARD.encode(Sha256::of(bytes).as_bytes());
    format!("sha-256=:{digest}:")
}

/// What 200 and 304 have in common.
fn check_headers(got: &Got, what: &str, identity: &[u8], key: &str, vary: &str) {
    assert_eq!(
        got.header("unencoded-digest"),
        digest_of(identity),
        "{what}"
    );
    assert_eq!(got.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(
        got.header("referrer-policy"),
        "origin-when-cross-origin",
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
    for name in ["x-pypi-last-serial", "unencoded-digest", "repr-digest"] {
        assert!(exposed.contains(name), "{what}: {exposed}");
    }
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

    assert_eq!(
        plain.header("repr-digest"),
        digest_of(&plain.body),
        "{what}"
    );
    let runs_nothing = plain.header("content-security-policy");
    let sandboxed = runs_nothing == "default-src 'none'; sandbox allow-top-navigation";
    assert_eq!(sandboxed, path.starts_with("/simple/"), "{what}");

    let mut all = vec![plain.clone()];
    for (coding, decode) in CODINGS {
        let what = format!("{what}, {coding}");
        let asked = [("accept", accept), ("accept-encoding", coding)];
        let got = get(index, path, &asked).await?;
        let coded = got.header("content-encoding") == coding;
        // A page of a few bytes may stay as it is; a project's page is longer than that.
        assert!(coded || plain.body.len() < 200, "{what}");
        let decoded = if coded {
            assert!(got.body.len() < plain.body.len(), "{what}");
            decode(&got.body)?
        } else {
            got.body.clone()
        };
        assert!(decoded == plain.body, "{what}: all codings hold one text");
        check_headers(&got, &what, &plain.body, key, vary);
        // Of what is on the wire.
        assert_eq!(got.header("repr-digest"), digest_of(&got.body), "{what}");
        let length = got.header("content-length");
        assert_eq!(length, got.body.len().to_string(), "{what}");
        let head = ask(index, Method::HEAD, path, &asked).await?;
        for name in ["etag", "content-encoding", "content-length", "repr-digest"] {
            assert_eq!(head.header(name), got.header(name), "{what}: HEAD, {name}");
        }
        assert!(get(index, path, &asked).await?.body == got.body, "{what}");
        all.push(got);
    }
    let coded = all
        .iter()
        .filter(|got| !got.header("content-encoding").is_empty());
    let tags: BTreeSet<&str> = all.iter().map(|got| got.header("etag")).collect();
    assert_eq!(tags.len(), 1 + coded.count(), "{what}: strong tags");

    for known in &all {
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
            assert_eq!(
                got.header("content-security-policy"),
                runs_nothing,
                "{what}"
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
    assert_eq!(options.header("allow"), ALLOWED, "{what}: OPTIONS");
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let refused = ask(index, method, path, &[]).await?;
        assert_eq!(
            (refused.status, refused.header("allow")),
            (405, ALLOWED),
            "{what}"
        );
        let cors = refused.header("access-control-allow-origin");
        assert_eq!(cors, "*", "{what}: a browser may read the refusal");
    }
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
    // One form only, with the same headers.
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
