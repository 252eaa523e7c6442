//! Pages by their hash, and that an HTML page is well-formed XML whatever is written in it.

use lockstep_core::digest::Sha256;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::index::TestIndex;
use reqwest::Method;
use serde_json::json;

use super::{HTML, JSON_V1, sample, upload};
use crate::http::get;

#[tokio::test]
async fn a_page_has_an_address_that_no_cache_can_make_stale() -> anyhow::Result<()> {
    let index = sample().await?;
    let row = get(&index, "/changelog/4", &[]).await?.json()?;
    for (form, accept, content_type) in [
        ("html", HTML, "text/html; charset=UTF-8"),
        ("json", JSON_V1, JSON_V1),
    ] {
        let current = get(&index, "/simple/sample-project/", &[("accept", accept)]).await?;
        let url = row["page"][form]["url"].as_str().unwrap_or_default();
        // Whatever is accepted: the hash has one text.
        let got = get(&index, url, &[("accept", "application/pdf")]).await?;
        assert_eq!(
            (got.status, got.header("content-type")),
            (200, content_type),
            "{url}"
        );
        assert!(got.body == current.body, "{form}: the bytes of /simple/");
        assert_eq!(row["page"][form]["size"], got.body.len());
        assert_eq!(
            row["page"][form]["sha256"],
            Sha256::of(&got.body).to_string()
        );
        assert_eq!(
            got.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(
            got.header("unencoded-digest"),
            current.header("unencoded-digest")
        );
        assert_eq!(got.header("vary").to_lowercase(), "accept-encoding");
        let known = get(&index, url, &[("if-none-match", got.header("etag"))]).await?;
        assert_eq!(known.status, 304);
    }
    let unknown = format!("/pages/sha256/{}", "0".repeat(64));
    let upper = format!("/pages/sha256/{}", "A".repeat(64));
    let short = "/pages/sha256/abc".to_owned();
    let garbage = format!("/pages/sha256/{}", "x".repeat(64));
    for (path, status) in [(unknown, 404), (upper, 301), (short, 400), (garbage, 400)] {
        let got = get(&index, &path, &[]).await?;
        assert_eq!(got.status, status, "{path}");
        if status >= 400 {
            assert_eq!(
                got.header("content-type"),
                "application/problem+json",
                "{path}"
            );
            assert_eq!(got.header("cache-control"), "no-store", "{path}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_replaced_page_is_still_there() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    upload(
        &index,
        "sample",
        "1.0",
        &wheel("sample", "1.0", &Opts::default()),
    )
    .await?;
    let old = get(&index, "/simple/sample/", &[]).await?;
    upload(
        &index,
        "sample",
        "2.0",
        &wheel("sample", "2.0", &Opts::default()),
    )
    .await?;
    let new = get(&index, "/simple/sample/", &[]).await?;
    assert!(old.body != new.body);
    let url = format!("/pages/sha256/{}", Sha256::of(&old.body));
    let got = get(&index, &url, &[]).await?;
    assert!(got.body == old.body);
    assert_eq!(
        got.header("x-pypi-last-serial"),
        old.header("x-pypi-last-serial")
    );
    Ok(())
}

/// All texts that could end a tag, an attribute, a comment or a document.
const NASTY: &str = "\"'><script>alert(1)</script>&amp;&nbsp;--><!--]]> \u{e9}\u{1f40d} <?xml?>";

/// Of each link `href`, `data-yanked`, `data-requires-python` and `data-core-metadata`.
pub(crate) fn anchors(index_page: &str) -> anyhow::Result<Vec<[Option<String>; 4]>> {
    // PEP 503's doctype is not XML's; all else is.
    let xml = index_page.replace("<!DOCTYPE html>", "");
    let document = roxmltree::Document::parse(&xml)?;
    let anchors = document.descendants().filter(|node| node.has_tag_name("a"));
    let names = [
        "href",
        "data-yanked",
        "data-requires-python",
        "data-core-metadata",
    ];
    Ok(anchors
        .map(|node| names.map(|name| node.attribute(name).map(str::to_owned)))
        .collect())
}

#[tokio::test]
async fn html_is_well_formed_whatever_is_in_it() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let opts = Opts {
        summary: Some(NASTY.to_owned()),
        requires_python: Some(">=3.8, <4, !=3.9.*".to_owned()),
        ..Opts::default()
    };
    upload(&index, "sample", "1.0", &wheel("sample", "1.0", &opts)).await?;
    let reason = json!({"reason": NASTY});
    index
        .order(Method::POST, "sample/releases/1.0/yank", &reason)
        .await?;
    upload(&index, "sample", "2.0", &wheel("sample", "2.0", &opts)).await?;
    index.settle()?;

    let html = get(&index, "/simple/sample/", &[]).await?.text();
    let anchors = anchors(&html)?;
    assert_eq!(anchors.len(), 2, "{html}");
    assert_eq!(anchors[0][1].as_deref(), Some(NASTY), "{html}");
    assert_eq!(anchors[1][1], None);
    assert_eq!(anchors[1][2].as_deref(), Some(">=3.8, <4, !=3.9.*"));
    assert!(
        anchors
            .iter()
            .all(|it| it[3].as_deref().is_some_and(|it| it.starts_with("sha256=")))
    );
    for [href, ..] in &anchors {
        assert!(
            href.as_deref()
                .is_some_and(|it| it.starts_with("../../packages/") && it.contains("#sha256="))
        );
    }
    assert!(
        html.contains("<meta name=\"pypi:repository-version\" content=\"1.4\""),
        "{html}"
    );
    let list = get(&index, "/simple/", &[]).await?.text();
    assert_eq!(
        super::pages::anchors(&list)?[0][0].as_deref(),
        Some("/simple/sample/")
    );
    let json = get(&index, "/simple/sample/", &[("accept", JSON_V1)])
        .await?
        .json()?;
    assert_eq!(json["files"][0]["yanked"], NASTY);
    let legacy = get(&index, "/pypi/sample/json", &[]).await?.json()?;
    assert_eq!(legacy["info"]["summary"], NASTY);
    assert_eq!(legacy["releases"]["1.0"][0]["yanked_reason"], NASTY);
    index.fsck()
}
