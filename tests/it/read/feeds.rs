//! Feeds: well-formed, newest first, and only of what is announced and listed.

use lockstep_tests::dist::{Opts, sdist, wheel};
use lockstep_tests::index::{Options, TestIndex};
use reqwest::Method;
use serde_json::{Value, json};

use super::upload;
use crate::http::get;

/// Title, link and description of each item.
async fn items(index: &TestIndex, path: &str) -> anyhow::Result<Vec<[String; 3]>> {
    let got = get(index, path, &[]).await?;
    assert_eq!(
        (got.status, got.header("content-type")),
        (200, "application/rss+xml; charset=UTF-8"),
        "{path}"
    );
    let text = got.text();
    let xml = roxmltree::Document::parse(&text)?;
    let root = xml.root_element();
    assert_eq!(
        (root.tag_name().name(), root.attribute("version")),
        ("rss", Some("2.0"))
    );
    let items = xml.descendants().filter(|node| node.has_tag_name("item"));
    Ok(items
        .map(|item| {
            let child = |name: &str| {
                let child = item.children().find(|node| node.has_tag_name(name));
                child
                    .and_then(|it| it.text())
                    .unwrap_or_default()
                    .to_owned()
            };
            assert_eq!(child("guid"), child("link"));
            let date = child("pubDate");
            assert!(date.ends_with(" +0000") || date.ends_with(" GMT"), "{date}");
            ["title", "link", "description"].map(child)
        })
        .collect())
}

#[tokio::test]
async fn they_tell_of_the_newest_first() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    assert!(items(&index, "/rss/updates.xml").await?.is_empty());
    assert!(items(&index, "/rss/packages.xml").await?.is_empty());
    let opts = Opts {
        summary: Some("<b>1 & 2</b> \u{ffff}\u{e9}".to_owned()),
        ..Opts::default()
    };
    for (name, version) in [
        ("First.One", "1.0"),
        ("second", "0.1rc1"),
        ("First.One", "1.1"),
    ] {
        upload(&index, name, version, &wheel(name, version, &opts)).await?;
    }
    // A second file of a release is no news.
    let other = Opts {
        python_tag: "py2".to_owned(),
        ..opts.clone()
    };
    upload(
        &index,
        "second",
        "0.1rc1",
        &wheel("second", "0.1rc1", &other),
    )
    .await?;
    index.settle()?;
    let link = |path: &str| format!("{}/project/{path}/", index.url());
    let item = |title: &str, path: &str| {
        [
            title.to_owned(),
            link(path),
            "<b>1 & 2</b> \u{e9}".to_owned(),
        ]
    };
    assert_eq!(
        items(&index, "/rss/updates.xml").await?,
        [
            item("First.One 1.1", "first-one/1.1"),
            item("second 0.1rc1", "second/0.1rc1"),
            item("First.One 1.0", "first-one/1.0"),
        ]
    );
    assert_eq!(
        items(&index, "/rss/packages.xml").await?,
        [item("second", "second"), item("First.One", "first-one")]
    );
    assert_eq!(
        items(&index, "/rss/project/first-one/releases.xml").await?,
        [
            item("First.One 1.1", "first-one/1.1"),
            item("First.One 1.0", "first-one/1.0")
        ]
    );

    for (path, key, edge) in [
        (
            "/rss/updates.xml",
            "simple-index",
            "max-age=60, stale-if-error=86400",
        ),
        (
            "/rss/packages.xml",
            "simple-index",
            "max-age=60, stale-if-error=86400",
        ),
        (
            "/rss/project/second/releases.xml",
            "project-second",
            "max-age=86400, stale-if-error=86400",
        ),
    ] {
        let got = get(&index, path, &[]).await?;
        assert_eq!(got.header("surrogate-key"), key, "{path}");
        assert_eq!(got.header("surrogate-control"), edge, "{path}");
        assert_eq!(
            got.header("cache-control"),
            "max-age=0, must-revalidate",
            "{path}"
        );
        assert_eq!(
            got.header("vary").to_lowercase(),
            "accept-encoding",
            "{path}"
        );
        let known = [("if-none-match", got.header("etag"))];
        assert_eq!(get(&index, path, &known).await?.status, 304, "{path}");
    }
    let moved = get(&index, "/rss/project/First_One/releases.xml", &[]).await?;
    assert_eq!(
        (moved.status, moved.header("location")),
        (301, "/rss/project/first-one/releases.xml")
    );
    let absent = get(&index, "/rss/project/absent/releases.xml", &[]).await?;
    assert_eq!(
        (absent.status, absent.header("surrogate-key")),
        (404, "project-absent")
    );
    Ok(())
}

#[tokio::test]
async fn what_is_not_announced_is_no_news_yet() -> anyhow::Result<()> {
    let index = TestIndex::with(Options {
        settings: "[[cdn]]\nname = 'nowhere'\nkind = 'varnish'\nurl = 'http://127.0.0.1:9'\n"
            .to_owned(),
        leftovers: true,
        ..Options::default()
    })?;
    upload(
        &index,
        "early",
        "1.0",
        &wheel("early", "1.0", &Opts::default()),
    )
    .await?;
    assert!(items(&index, "/rss/updates.xml").await?.is_empty());
    assert!(items(&index, "/rss/packages.xml").await?.is_empty());
    // A project's own feed is as fresh as its page.
    assert_eq!(
        items(&index, "/rss/project/early/releases.xml")
            .await?
            .len(),
        1
    );
    Ok(())
}

#[tokio::test]
async fn removed_and_hidden_projects_are_left_out() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    for name in ["kept", "removed", "hidden", "shrunk", "empty"] {
        upload(&index, name, "1.0", &wheel(name, "1.0", &Opts::default())).await?;
    }
    let quarantined = json!({"status": "quarantined"});
    for (method, path, body) in [
        (Method::DELETE, "removed", Value::Null),
        (Method::PUT, "hidden/status", quarantined),
        (Method::DELETE, "shrunk/releases/1.0", Value::Null),
        // The release is still there, with nothing to install.
        (
            Method::DELETE,
            "empty/files/empty-1.0-py3-none-any.whl",
            Value::Null,
        ),
    ] {
        index.order(method, path, &body).await?;
    }
    index.settle()?;
    let titles = |items: Vec<[String; 3]>| {
        items
            .into_iter()
            .map(|[title, ..]| title)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        titles(items(&index, "/rss/updates.xml").await?),
        ["kept 1.0"]
    );
    assert_eq!(
        titles(items(&index, "/rss/packages.xml").await?),
        ["empty", "shrunk", "kept"]
    );
    for path in ["empty", "shrunk"] {
        let path = format!("/rss/project/{path}/releases.xml");
        assert!(items(&index, &path).await?.is_empty(), "{path}");
    }
    // The search hides the same ones.
    let found = get(&index, "/search/", &[]).await?.text();
    for (name, shown) in [
        ("kept", true),
        ("shrunk", true),
        ("empty", true),
        ("removed", false),
        ("hidden", false),
    ] {
        assert_eq!(
            found.contains(&format!("/project/{name}/")),
            shown,
            "{name}"
        );
    }
    // With another file the release is what it was, since when it was.
    upload(
        &index,
        "empty",
        "1.0",
        &sdist("empty", "1.0", &Opts::default()),
    )
    .await?;
    index
        .order(Method::PUT, "hidden/status", &json!({"status": "active"}))
        .await?;
    index.settle()?;
    assert_eq!(
        titles(items(&index, "/rss/updates.xml").await?),
        ["empty 1.0", "hidden 1.0", "kept 1.0"]
    );
    Ok(())
}
