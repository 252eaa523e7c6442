//! Which form and which coding a request gets: `Accept` as the public index reads it, `?format=`, and
//! `Accept-Encoding`; and that no other query is looked at.

use lockstep_core::digest::Sha256;
use reqwest::Method;
use serde_json::Value;

use super::{HTML_V1, JSON_V1, sample};
use crate::http::{ask, get};

const TEXT_HTML: &str = "text/html; charset=UTF-8";
const PATHS: [&str; 2] = ["/simple/", "/simple/sample-project/"];

#[tokio::test]
async fn accept_is_read_as_the_public_index_reads_it() -> anyhow::Result<()> {
    let index = sample().await?;
    let pip = format!("{JSON_V1}, {HTML_V1}; q=0.1, text/html; q=0.01");
    let uv = format!("{JSON_V1}, {HTML_V1};q=0.2, text/html;q=0.01");
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let tie = format!("{JSON_V1}, {HTML_V1}");
    let any_text = format!("text/*, {JSON_V1}");
    let not_json = format!("{JSON_V1};q=0, */*");
    let capitals = JSON_V1.to_uppercase();
    let close = format!("{HTML_V1};q=0.569, {JSON_V1};q=0.57");
    for (accept, wanted) in [
        (pip.as_str(), JSON_V1),
        (&uv, JSON_V1),
        (browser, TEXT_HTML),
        ("text/html", TEXT_HTML),
        (HTML_V1, HTML_V1),
        (JSON_V1, JSON_V1),
        (&capitals, JSON_V1),
        ("*/*", TEXT_HTML),
        ("*/*;q=0.1, application/vnd.pypi.simple.v1+json", JSON_V1),
        ("application/*", HTML_V1),
        ("text/*", TEXT_HTML),
        // Of equals the first offer: text/html, v1+html, v1+json.
        (&tie, HTML_V1),
        (&any_text, TEXT_HTML),
        (
            "text/html;q=0.1, application/vnd.pypi.simple.v1+json;q=0.2",
            JSON_V1,
        ),
        (&close, JSON_V1),
        (&not_json, TEXT_HTML),
        ("text/html;q=0, */*", HTML_V1),
        // What matches nothing, or is nonsense, is told in HTML and never refused.
        ("", TEXT_HTML),
        ("application/json", TEXT_HTML),
        ("application/vnd.pypi.simple.v2+json", TEXT_HTML),
        ("application/vnd.pypi.simple.latest+json", TEXT_HTML),
        ("application/vnd.pypi.simple.latest+html", TEXT_HTML),
        ("image/png", TEXT_HTML),
        ("*/*;q=0", TEXT_HTML),
        ("not / a, header;;", TEXT_HTML),
        (";q=1,,/,*", TEXT_HTML),
        ("text/html;q=junk", TEXT_HTML),
    ] {
        for path in PATHS {
            let got = get(&index, path, &[("accept", accept)]).await?;
            let shown = (got.status, got.header("content-type"));
            assert_eq!(shown, (200, wanted), "{path} {accept}");
        }
    }
    for path in PATHS {
        let none = get(&index, path, &[]).await?;
        assert_eq!(none.header("content-type"), TEXT_HTML, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_format_in_the_query_goes_before_accept_and_other_queries_are_nothing()
-> anyhow::Result<()> {
    let index = sample().await?;
    let latest = "application/vnd.pypi.simple.latest";
    for (query, wanted) in [
        ("format=text/html".to_owned(), TEXT_HTML),
        (format!("format={HTML_V1}"), HTML_V1),
        (format!("format={JSON_V1}"), JSON_V1),
        (format!("format={latest}+html"), HTML_V1),
        (format!("format={latest}%2Bjson&x=1"), JSON_V1),
        (
            "format=application%2Fvnd.pypi.simple.v1%2Bhtml".to_owned(),
            HTML_V1,
        ),
        // These name no format of ours: `Accept` decides.
        ("format=json".to_owned(), JSON_V1),
        ("format=application/json".to_owned(), JSON_V1),
        ("format=".to_owned(), JSON_V1),
        ("format=%FF%00".to_owned(), JSON_V1),
        ("x=format=text/html".to_owned(), JSON_V1),
        ("%".to_owned(), JSON_V1),
        (String::new(), JSON_V1),
    ] {
        for path in PATHS {
            let path = format!("{path}?{query}");
            let got = get(&index, &path, &[("accept", JSON_V1)]).await?;
            let shown = (got.status, got.header("content-type"));
            assert_eq!(shown, (200, wanted), "{path}");
            assert_eq!(got.header("vary").to_lowercase(), "accept, accept-encoding");
        }
    }
    // A redirect depends on the name alone: the format is asked for at the address that it leads to.
    for path in [
        "/simple/Sample_Project/",
        "/simple/sample-project",
        "/simple",
    ] {
        let plain = get(&index, path, &[]).await?;
        let asked = get(&index, &format!("{path}?format={JSON_V1}"), &[]).await?;
        assert_eq!((plain.status, asked.status), (301, 301), "{path}");
        assert_eq!(plain.header("location"), asked.header("location"), "{path}");
        let head = ask(&index, Method::HEAD, path, &[]).await?;
        assert_eq!(
            (head.status, head.header("location")),
            (301, plain.header("location"))
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_coding_is_the_one_that_the_request_likes_best() -> anyhow::Result<()> {
    let index = sample().await?;
    let hash = Sha256::of(&get(&index, PATHS[1], &[]).await?.body);
    let by_hash = format!("/pages/sha256/{hash}");
    for (accepted, wanted) in [
        // pip and requests; old pip, aiohttp, bandersnatch; browsers and newer requests; uv
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, br", "gzip"),
        // … and who says what it likes
        ("", ""),
        ("identity", ""),
        ("zstd", "zstd"),
        ("zstd;q=0.5, gzip", "gzip"),
        ("zstd;q=0, gzip;q=0.1", "gzip"),
        ("gzip;q=0", ""),
        ("gzip;q=0.5, identity;q=0.6", ""),
        ("x-gzip", "gzip"),
        ("GZIP;Q=0.3", "gzip"),
        ("*", "gzip"),
        ("*;q=0", ""),
        ("gzip, identity;q=0", "gzip"),
        ("identity;q=0", ""),
        ("deflate, compress;q=0.9", ""),
        ("gzip;q=nonsense", ""),
        (";;,,", ""),
    ] {
        for path in [PATHS[1], by_hash.as_str()] {
            let got = get(&index, path, &[("accept-encoding", accepted)]).await?;
            let shown = (got.status, got.header("content-encoding"));
            assert_eq!(shown, (200, wanted), "{path} {accepted:?}");
            let tag = match wanted {
                "" => format!("\"{hash}\""),
                coding => format!("\"{hash}-{coding}\""),
            };
            assert_eq!(got.header("etag"), tag, "{path} {accepted:?}");
            let vary = got.header("vary").to_lowercase();
            assert!(vary.ends_with("accept-encoding"), "{path}: {vary}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_project_that_is_gone_is_404_and_says_since_when() -> anyhow::Result<()> {
    let index = sample().await?;
    let project = "/simple/sample-project/";
    let serial = index
        .order(Method::DELETE, "sample-project", &Value::Null)
        .await?
        .to_string();
    for _ in 0..2 {
        let got = get(&index, project, &[]).await?;
        assert_eq!((got.status, got.text().as_str()), (404, "404 Not Found\n"));
        assert_eq!(got.header("x-pypi-last-serial"), serial);
        assert_eq!(got.header("surrogate-key"), "project-sample-project");
        assert_eq!(got.header("access-control-allow-origin"), "*");
    }
    // An edge that asks for this state takes the 404 for it; for a later one it has to wait.
    let asked = [("x-min-serial", serial.as_str())];
    assert_eq!(get(&index, project, &asked).await?.status, 404);
    assert_eq!(
        get(&index, project, &[("x-min-serial", "99")])
            .await?
            .status,
        503
    );
    let never = get(&index, "/simple/never-there/", &[]).await?;
    assert_eq!(
        (never.status, never.header("x-pypi-last-serial")),
        (404, "")
    );
    Ok(())
}
