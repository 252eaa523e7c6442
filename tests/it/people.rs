//! Pages for people: what they say, what they refuse to show, and what caches are told of them.

mod browser;
mod orders;

use lockstep_core::digest::Sha256;
use lockstep_tests::dist::{Opts, sdist, wheel};
use lockstep_tests::index::TestIndex;

use crate::http::{Got, get};
use crate::read::upload;

/// A readme that tries everything.
const HOSTILE: &str = include_str!("people/hostile.md");

/// A release whose publisher means harm in every field that an upload may have; others are refused.
pub(crate) fn hostile() -> Opts {
    let lines = [
        "Description-Content-Type: text/markdown",
        "Author: <script>window.pwned=1</script>",
        "License: MIT",
        "Keywords: <img src=x onerror=window.pwned=1>",
        "Requires-Dist: attrs>=20 ; python_version < '3.9'",
        "Project-URL: Docs, https://docs.example/",
        "Project-URL: \"onfocus=\"window.pwned=1, https://x.example/?a='onfocus='window.pwned=1",
    ];
    Opts {
        summary: Some("<script>window.pwned=1</script>\"'><b>bold</b> &amp;".to_owned()),
        requires_python: Some(">=3.8,<4".to_owned()),
        fields: lines.map(str::to_owned).to_vec(),
        description: Some(HOSTILE.to_owned()),
        ..Opts::default()
    }
}

async fn page(index: &TestIndex, path: &str) -> anyhow::Result<Got> {
    let got = get(index, path, &[]).await?;
    assert_eq!(
        (got.status, got.header("content-type")),
        (200, "text/html; charset=UTF-8"),
        "{path}: {}",
        got.text()
    );
    Ok(got)
}

fn guarded(got: &Got, path: &str) {
    let policy = got.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{path}: {policy}"
    );
    for loose in ["unsafe", "http", "*", "script-src"] {
        assert!(!policy.contains(loose), "{path}: {policy}");
    }
    assert_eq!(got.header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(got.header("referrer-policy"), "no-referrer", "{path}");
}

#[tokio::test]
async fn a_project_shows_its_release_files_hash_and_history() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let (one, source) = (
        wheel("Hostile.Project", "1.0", &hostile()),
        sdist("Hostile.Project", "1.0", &hostile()),
    );
    upload(&index, "Hostile.Project", "1.0", &one).await?;
    upload(&index, "Hostile.Project", "1.0", &source).await?;
    let early = wheel("Hostile.Project", "2.0a1", &Opts::default());
    let serial = upload(&index, "Hostile.Project", "2.0a1", &early)
        .await?
        .serial
        .unwrap_or_default();

    let got = page(&index, "/project/hostile-project/").await?;
    let html = got.text();
    let simple = get(&index, "/simple/hostile-project/", &[]).await?;
    let hash = Sha256::of(&simple.body);
    for said in [
        "<h1>Hostile.Project <span class=\"version\">1.0</span></h1>".to_owned(),
        format!(
            "pip install --index-url {}/simple/ hostile-project<",
            index.url()
        ),
        one.sha256.clone(),
        source.sha256.clone(),
        format!(">{}</a>", one.filename),
        format!("This page shows serial {serial}."),
        format!(
            "curl -s {}/simple/hostile-project/ | sha256sum\n{hash}",
            index.url()
        ),
        format!("<a href=\"/pages/sha256/{hash}\">"),
        format!("<a href=\"/changelog/{serial}\">{serial}</a>"),
        "<td>add py3 file hostile_project-2.0a1-py3-none-any.whl</td>".to_owned(),
        "<td>create</td>".to_owned(),
        "<a href=\"/project/hostile-project/2.0a1/\">2.0a1</a>".to_owned(),
        "<dd>attrs&#62;=20 ; python_version &#60; &#39;3.9&#39;</dd>".to_owned(),
    ] {
        assert!(html.contains(&said), "{said} in\n{html}");
    }
    assert!(!html.contains("This project is"), "{html}");
    let href = html
        .split("<a href=\"")
        .find(|it| it.starts_with("/packages/"));
    let href = href.and_then(|it| it.split('"').next()).unwrap_or_default();
    let file = get(&index, href, &[]).await?;
    assert_eq!(Sha256::of(&file.body).to_string(), one.sha256, "{href}");

    // Of one release, also by another spelling of the same number.
    for path in [
        "/project/hostile-project/2.0a1/",
        "/project/hostile-project/2.0.0a1/",
    ] {
        let html = page(&index, path).await?.text();
        assert!(html.contains("hostile-project==2.0a1<"), "{html}");
        assert!(
            html.contains("The latest version is <a href=\"/project/hostile-project/\">1.0"),
            "{html}"
        );
        assert!(html.contains("This release has no description."), "{html}");
        assert!(!html.contains(&one.sha256), "{html}");
    }
    Ok(())
}

#[tokio::test]
async fn what_publishers_write_stays_text() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    upload(
        &index,
        "hostile",
        "1.0",
        &wheel("hostile", "1.0", &hostile()),
    )
    .await?;
    index.settle()?;
    for path in [
        "/project/hostile/",
        "/",
        "/search/?q=%3Cscript%3Ewindow.pwned=1%3C/script%3E",
    ] {
        let got = page(&index, path).await?;
        guarded(&got, path);
        let html = got.text().to_lowercase();
        for bad in [
            "<script",
            "<img",
            "<iframe",
            "<form action=\"http",
            "javascript:",
            "<style>body",
        ] {
            assert!(!html.contains(bad), "{path}: {bad} in\n{html}");
        }
        let attributes = html
            .split('<')
            .filter_map(|it| it.split_once('>').map(|(tag, _)| tag));
        for tag in attributes {
            assert!(!tag.contains(" on"), "{path}: {tag}");
        }
    }
    let html = page(&index, "/project/hostile/").await?.text();
    assert!(
        html.contains("&#60;script&#62;window.pwned=1&#60;/script&#62;"),
        "{html}"
    );
    assert!(html.contains("<h3>A readme that means harm</h3>"), "{html}");
    assert!(
        html.contains(">Docs</a>") && !html.contains(">Evil</a>"),
        "{html}"
    );
    Ok(())
}

#[tokio::test]
async fn a_project_is_fresh_and_purged_like_its_simple_page() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let path = "/project/sample/";
    let got = get(&index, path, &[]).await?;
    assert_eq!(
        (
            got.status,
            got.header("content-type"),
            got.header("surrogate-key")
        ),
        (404, "text/html; charset=UTF-8", "project-sample")
    );
    assert_eq!(got.header("surrogate-control"), "max-age=60");
    assert!(got.text().contains("<h1>Not found</h1>"), "{}", got.text());
    guarded(&got, path);

    let mut tags = Vec::new();
    for version in ["1.0", "1.1"] {
        let dist = wheel("sample", version, &Opts::default());
        let serial = upload(&index, "sample", version, &dist).await?.serial;
        let got = page(&index, path).await?;
        assert_eq!(got.header("x-pypi-last-serial").parse().ok(), serial);
        assert_eq!(got.header("surrogate-key"), "project-sample");
        assert_eq!(
            got.header("surrogate-control"),
            "max-age=86400, stale-if-error=86400"
        );
        assert_eq!(got.header("cache-control"), "max-age=0, must-revalidate");
        assert_eq!(got.header("vary").to_lowercase(), "accept-encoding");
        assert!(
            got.text()
                .contains(&format!("<span class=\"version\">{version}</span>"))
        );
        let gzip = get(&index, path, &[("accept-encoding", "gzip")]).await?;
        assert_eq!(gzip.header("content-encoding"), "gzip");
        let known = get(&index, path, &[("if-none-match", got.header("etag"))]).await?;
        assert_eq!((known.status, known.body.len()), (304, 0));
        guarded(&known, path);
        // The same state gives the same bytes.
        assert!(page(&index, path).await?.body == got.body);
        tags.push(got.header("etag").to_owned());
    }
    assert!(tags[0] != tags[1]);
    for (path, to) in [
        ("/project/sample", "/project/sample/"),
        ("/project/SAMPLE", "/project/sample/"),
        ("/project/Not_There/", "/project/not-there/"),
        ("/project/sample/v1.0/", "/project/sample/1.0/"),
        ("/project/Sample/1.0", "/project/sample/1.0/"),
        ("/search", "/search/"),
    ] {
        let got = get(&index, path, &[]).await?;
        assert_eq!((got.status, got.header("location")), (301, to), "{path}");
    }
    for (path, key) in [
        ("/project/sample/9.9/", "project-sample"),
        ("/project/sample/one/", ""),
        ("/project", ""),
        ("/project/", ""),
        ("/project/-/", ""),
        ("/project/-/1.0", ""),
        ("/project/sample/1.0/more/", ""),
    ] {
        let got = get(&index, path, &[]).await?;
        assert_eq!(
            (got.status, got.header("surrogate-key")),
            (404, key),
            "{path}"
        );
        assert!(
            got.text().contains("<h1>Not found</h1>"),
            "{path}: {}",
            got.text()
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_front_page_says_how_big_how_far_and_what_is_new() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let html = page(&index, "/").await?.text();
    assert!(html.contains("Nothing has been released yet."), "{html}");
    for name in ["one", "two"] {
        upload(&index, name, "1.0", &wheel(name, "1.0", &Opts::default())).await?;
    }
    index.settle()?;
    let got = page(&index, "/").await?;
    let html = got.text();
    let url = index.url();
    for said in [
        "<dt>Projects</dt><dd>2</dd>".to_owned(),
        "<dt>Files</dt><dd>2</dd>".to_owned(),
        "<dt>Committed serial</dt><dd>6</dd>".to_owned(),
        "<dt>Announced serial</dt><dd>6</dd>".to_owned(),
        "<a href=\"/project/two/1.0/\">two 1.0</a>".to_owned(),
        format!("pip install --index-url {url}/simple/ PROJECT"),
        format!("--default-index {url}/simple/ PROJECT"),
        format!("twine upload --repository-url {url}/legacy/ -u __token__ dist/*"),
        format!("uv publish --publish-url {url}/legacy/ dist/*"),
    ] {
        assert!(html.contains(&said), "{said} in\n{html}");
    }
    assert!(html.find("two 1.0") < html.find("one 1.0"), "newest first");
    assert_eq!(
        got.header("surrogate-control"),
        "max-age=10, stale-if-error=86400"
    );
    assert_eq!(got.header("surrogate-key"), "simple-index");
    guarded(&got, "/");
    Ok(())
}

/// The projects that a page of the search lists.
fn listed(html: &str) -> Vec<&str> {
    let links = html.split("<a href=\"/project/").skip(1);
    links
        .filter_map(|it| it.split_once("/\"").map(|(name, _)| name))
        .collect()
}

#[tokio::test]
async fn the_search_finds_names_by_their_beginning() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    assert!(
        page(&index, "/search/")
            .await?
            .text()
            .contains("There are no projects yet.")
    );
    for name in ["Alpha", "alpha-beta", "alphabet", "beta", "z9"] {
        upload(&index, name, "1.0", &wheel(name, "1.0", &Opts::default())).await?;
    }
    index.settle()?;
    let long = "a".repeat(200);
    let all = ["alpha", "alpha-beta", "alphabet", "beta", "z9"].as_slice();
    for (q, found) in [
        ("", all),
        ("%20", all),
        ("alpha", &all[..3]),
        ("ALPHA_", &["alpha-beta"]),
        ("alpha.-b", &["alpha-beta"]),
        ("z", &["z9"]),
        ("eta", &[]),
        ("%25", &[]),
        ("_", &[]),
        ("a%25", &[]),
        ("a_pha", &[]),
        ("%C3%A9", &[]),
        ("%FF", &[]),
        ("a%00", &[]),
        ("%27%3B--", &[]),
        ("z~", &[]),
        (&long, &[]),
    ] {
        let html = page(&index, &format!("/search/?q={q}")).await?.text();
        assert_eq!(listed(&html), found, "{q}");
        assert_eq!(
            html.contains("There are none.") || html.contains("can begin like this"),
            found.is_empty(),
            "{q}"
        );
        assert!(!html.contains("Further projects"), "{q}");
    }
    let html = page(&index, "/search/?q=alpha&after=alpha").await?.text();
    assert_eq!(listed(&html), ["alpha-beta", "alphabet"]);
    let html = page(&index, "/search/?q=alpha&after=zzz").await?.text();
    assert!(html.contains("There are no more."), "{html}");
    for bad in [
        "/search/?after=Not_Normal",
        "/search/?after=",
        "/search/?q=a&q=b",
    ] {
        assert_eq!(get(&index, bad, &[]).await?.status, 400, "{bad}");
    }
    Ok(())
}

#[tokio::test]
async fn the_search_goes_on_where_a_page_ended() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    upload(
        &index,
        "p-000",
        "1.0",
        &wheel("p-000", "1.0", &Opts::default()),
    )
    .await?;
    index.settle()?;
    // As many projects as fill two pages and one line, listed by the same row of the changelog.
    index.database().query(
        "with p as (insert into projects (normalized_name, display_name) \
                    select 'p-' || lpad(n::text, 3, '0'), 'P_' || n from generate_series(1, 100) n returning id, display_name), \
              s as (update serials set value = value + 100 returning value), \
              w as (update watermarks set purged = purged + 100, verified = verified + 100, announced = announced + 100) \
         insert into changelog (serial, at, project_id, name, kind, action, content_sha256, files_sha256, files_count, listed) \
         select s.value - 100 + row_number() over (order by p.id), now(), p.id, p.display_name, 'create', '', '', '', 0, true from s, p",
    )?;
    let (mut path, mut found, mut pages) = ("/search/?q=p_".to_owned(), Vec::new(), 0);
    loop {
        let html = page(&index, &path).await?.text();
        found.extend(listed(&html).into_iter().map(str::to_owned));
        pages += 1;
        let Some((_, rest)) = html.split_once("<a href=\"/search/?q=p_&amp;") else {
            break;
        };
        let next = rest.split('"').next().unwrap_or_default();
        path = format!("/search/?q=p_&{next}");
    }
    let expected: Vec<_> = (0..=100).map(|n| format!("p-{n:03}")).collect();
    assert_eq!((found, pages), (expected, 3));
    Ok(())
}
