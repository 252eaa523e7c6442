//! Sites: an edge, the index itself, and an edge that shows what the test wants it to show.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use lockstep_tests::index::{Options, TestIndex, free_address};
use lockstep_tests::varnish::Pop;
use serde_json::{Value, json};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::{audit, page, upload};

#[tokio::test]
async fn an_edge_that_is_purged_is_exact() -> anyhow::Result<()> {
    let address = free_address()?;
    let pop = Pop::start("audit", address)?;
    let index = TestIndex::with(Options {
        address: Some(address),
        settings: format!(
            "[[cdn]]\nname = 'pop'\nkind = 'varnish'\nurl = '{}'\n",
            pop.url()
        ),
        ..Options::default()
    })?;
    for version in ["1.0", "1.1"] {
        upload(&index, "six", version).await?;
        upload(&index, "Attrs.X", version).await?;
        index.settle()?;
        // The second time the pages of the first are in the cache.
        audit(&index.url(), &pop.url(), &["--kind", "edge"])?.is_exact(2);
        audit(&index.url(), &format!("{}/simple/", pop.url()), &[])?.is_exact(2);
    }
    Ok(())
}

/// Pages by path and by whether JSON was asked for.
type Pages = Arc<Mutex<HashMap<(String, bool), Vec<u8>>>>;

struct FakeEdge(Pages);

impl Respond for FakeEdge {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let accept = request.headers.get("accept");
        let json = accept.is_some_and(|value| value.as_bytes().ends_with(b"json"));
        let key = (request.url.path().to_owned(), json);
        match self
            .0
            .lock()
            .ok()
            .and_then(|pages| pages.get(&key).cloned())
        {
            None => ResponseTemplate::new(404),
            Some(bytes) => ResponseTemplate::new(200).set_body_bytes(bytes),
        }
    }
}

#[tokio::test]
async fn an_edge_with_old_tampered_and_missing_pages_is_told_apart() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    upload(&index, "six", "1.0").await?;
    let old = page(&index, "six", false).await?;
    upload(&index, "attrs", "1.0").await?;
    upload(&index, "gone", "1.0").await?;
    upload(&index, "fine", "1.0").await?;
    let newest = upload(&index, "six", "1.1").await?;
    index.settle()?;

    let pages = Pages::default();
    let edge = MockServer::start().await;
    Mock::given(any())
        .respond_with(FakeEdge(pages.clone()))
        .mount(&edge)
        .await;
    let put = |project: &str, json, bytes: Vec<u8>| {
        let key = (format!("/simple/{project}/"), json);
        pages.lock().unwrap().insert(key, bytes);
    };
    for project in ["six", "attrs", "gone", "fine"] {
        for json in [false, true] {
            put(project, json, page(&index, project, json).await?);
        }
    }
    audit(&index.url(), &edge.uri(), &["--pages-only"])?.is_exact(4);

    put("six", false, old);
    let mut tampered = page(&index, "attrs", true).await?;
    // The files it lists stay the same, so only its bytes betray it.
    tampered.insert(1, b' ');
    put("attrs", true, tampered);
    pages
        .lock()
        .unwrap()
        .remove(&("/simple/gone/".to_owned(), true));
    let six = format!("announced {newest}, {} serials behind since 20", newest - 3);
    audit(&index.url(), &edge.uri(), &["--pages-only"])?.found(&[
        ("different attrs: a page with sha256", "[JSON, JSON gzip]"),
        ("missing gone: no page, announced 9", "[JSON, JSON gzip]"),
        ("behind six: shows serial 3 (20", &six),
    ]);

    let said = audit(&index.url(), &edge.uri(), &["--json", "--pages-only"])?;
    let document = said.json()?;
    assert_eq!(said.code, 1);
    assert_eq!(document["announced"], newest);
    let states: Vec<_> = document["projects"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(states[3]["project"], "six");
    assert_eq!(states[3]["state"], "behind");
    assert_eq!(states[3]["shows"], 3);
    assert_eq!(states[3]["serials"], newest - 3);
    assert_eq!(document["counts"]["exact"], 1);

    // Only some of the projects.
    audit(
        &index.url(),
        &edge.uri(),
        &["--project", "Fine", "--pages-only"],
    )?
    .is_exact(1);
    let said = audit(
        &index.url(),
        &edge.uri(),
        &["--pages-only", "--since", &(newest - 1).to_string()],
    )?;
    said.found(&[("behind six", "")]);
    Ok(())
}

#[tokio::test]
async fn a_page_that_is_committed_but_not_announced_is_newer() -> anyhow::Result<()> {
    let mut index = TestIndex::start()?;
    upload(&index, "six", "1.0").await?;
    index.settle()?;
    // From here on a CDN that nobody can purge holds the announcements back.
    index.options.settings = "[[cdn]]\nname = 'down'\nkind = 'varnish'\n\
                              url = 'http://127.0.0.1:9'\n"
        .to_owned();
    index.options.leftovers = true;
    index.restart()?;
    let newest = upload(&index, "six", "1.1").await?;
    let said = audit(&index.url(), &index.url(), &["--json"])?;
    let document = said.json()?;
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(document["announced"], 3);
    assert_eq!(document["projects"][0]["state"], "newer");
    assert_eq!(document["projects"][0]["serial"], newest);
    Ok(())
}

#[tokio::test]
async fn a_mirror_that_renders_its_own_pages_is_judged_by_content() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    upload(&index, "six", "1.0").await?;
    let old = rendered(&page(&index, "six", true).await?)?;
    let newest = upload(&index, "six", "1.1").await?;
    let new = rendered(&page(&index, "six", true).await?)?;
    index.settle()?;
    let simple = "/team/m/+simple";
    for (serial, body, words) in [
        (newest, &new, None),
        (3, &old, Some("behind six: shows serial 3 (20")),
        // Without the header its content alone tells how old it is.
        (0, &old, Some("behind six: shows serial 3 (20")),
        (newest, &old, Some("different six: lists no six-1.1")),
        (77, &new, Some("different six: claims serial 77")),
    ] {
        let mirror = MockServer::start().await;
        let mut answer = ResponseTemplate::new(200).set_body_bytes(body.as_bytes());
        if serial > 0 {
            answer = answer.insert_header("x-pypi-last-serial", serial.to_string());
        }
        Mock::given(path(format!("{simple}/six/")))
            .respond_with(answer)
            .mount(&mirror)
            .await;
        let url = format!("{}{simple}/", mirror.uri());
        let said = audit(&index.url(), &url, &["--pages-only"])?;
        match words {
            None => said.is_exact(1),
            Some(words) => said.found(&[(words, "")]),
        }
    }
    Ok(())
}

/// A page as devpi shows it: the files with hash, `requires-python` and `yanked`, at its own URLs.
fn rendered(page: &[u8]) -> anyhow::Result<String> {
    let page: Value = serde_json::from_slice(page)?;
    let files = page["files"].as_array().into_iter().flatten().map(|file| {
        let sha256 = file["hashes"]["sha256"].as_str().unwrap_or_default();
        let filename = file["filename"].as_str().unwrap_or_default();
        json!({"filename": filename, "hashes": {"sha256": sha256},
               "url": format!("../../+f/{}/{filename}", &sha256[..3]),
               "requires-python": file["requires-python"], "yanked": false})
    });
    let files: Vec<Value> = files.collect();
    Ok(json!({"meta": {"api-version": "1.0"}, "name": "six", "files": files}).to_string())
}

#[tokio::test]
async fn what_is_not_there_is_said_with_a_remedy() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    upload(&index, "six", "1.0").await?;
    index.settle()?;
    let nobody = format!("http://{}", free_address()?);
    let folder = tempfile::tempdir()?;
    let folder = folder.path().display().to_string();
    for (of, target, more, code, words) in [
        (&nobody, &index.url(), vec![], 1, "can't reach the index"),
        (&index.url(), &nobody, vec![], 1, "is the address right?"),
        (&index.url(), &folder, vec![], 2, "is no mirror: looked for"),
        (
            &index.url(),
            &index.url(),
            vec!["--kind", "pep381"],
            2,
            "needs the mirror's folder",
        ),
        (
            &index.url(),
            &index.url(),
            vec!["--project", "nope"],
            1,
            "never announced a project",
        ),
        (
            &index.url(),
            &index.url(),
            vec!["--kind", "x"],
            2,
            "is no kind of target",
        ),
    ] {
        let said = audit(of, target, &more)?;
        assert!(
            said.code == code && said.err.contains(words),
            "{words}: {said:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_projects_take_seconds() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let names: Vec<String> = (0..1000)
        .map(|number| format!("project-{number}"))
        .collect();
    let started = Instant::now();
    stream::iter(&names)
        .map(|name| upload(&index, name, "1.0"))
        .buffer_unordered(8)
        .try_collect::<Vec<_>>()
        .await?;
    index.settle()?;
    eprintln!("1000 projects uploaded in {:.1?}", started.elapsed());
    let started = Instant::now();
    audit(&index.url(), &index.url(), &[])?.is_exact(1000);
    // No bound is asserted: machines differ, and this one is not alone.
    eprintln!(
        "1000 projects, 4000 pages, 1000 wheels and 1000 metadata documents audited in {:.1?}",
        started.elapsed()
    );
    Ok(())
}
