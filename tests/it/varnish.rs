//! The race of 2013, closed: whoever was told of a change finds it at the edge. With a real Varnish
//! in front; and what happens when the purges can't be delivered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context as _, ensure};
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::edge::Edge;
use lockstep_tests::form::Form;
use lockstep_tests::index::{Options, TestIndex, free_address};
use lockstep_tests::purge_sink::{PurgeSink, settings};
use lockstep_tests::reader::{JSON, Reader, VARIANTS};
use tokio::task::JoinSet;

const UPLOADS: usize = 20;

/// The page's serial, form and hash, as an edge served it.
type Sight = (u64, bool, String);

/// What the crowd around the edge knows and does.
#[derive(Default)]
struct Crowd {
    announced: AtomicU64,
    done: AtomicBool,
}

/// Reads a page over and over, so that fills of the cache are always under way when a commit or a
/// purge comes. No page is older than what was announced before it was asked for.
async fn read_on(
    url: String,
    variant: (&str, bool),
    crowd: Arc<Crowd>,
) -> anyhow::Result<Vec<Sight>> {
    let reader = Reader::new()?;
    let mut sights = Vec::new();
    while !crowd.done.load(Ordering::SeqCst) {
        let at_least = crowd.announced.load(Ordering::SeqCst);
        let page = reader.variant(&url, variant).await?;
        let serial = page.serial.context("a page without a serial")?;
        ensure!(
            serial >= at_least,
            "{variant:?} at {serial}, but {at_least} was announced"
        );
        sights.push((serial, variant.0 == JSON, page.hash()));
    }
    Ok(sights)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_is_old_once_its_serial_is_announced() -> anyhow::Result<()> {
    let edge = Edge::start()?;
    let (index, url) = (edge.index.url(), edge.page("raced"));
    edge.upload("raced", "0.0", &wheel("raced", "0.0", &Opts::default()))
        .await?;
    edge.index.settle()?;
    let crowd = Arc::new(Crowd::default());
    let mut readers = JoinSet::new();
    for variant in VARIANTS {
        readers.spawn(read_on(url.clone(), variant, crowd.clone()));
    }
    let reader = Reader::new()?;
    let (mut looks, mut stale) = (0, 0);
    for upload in 1..=UPLOADS {
        // Warm in all variants: that is what a purge must remove.
        for variant in VARIANTS {
            ensure!(reader.variant(&url, variant).await?.status == 200);
        }
        let version = format!("{upload}.0");
        let dist = wheel("raced", &version, &Opts::default());
        let serial = edge
            .upload("raced", &version, &dist)
            .await?
            .serial
            .context("no serial")?;
        reader.wait_for(&index, serial).await?;
        crowd.announced.store(serial, Ordering::SeqCst);
        let row = reader
            .get(&format!("{index}/changelog/{serial}"))
            .await?
            .json()?;
        for variant in VARIANTS {
            let page = reader.variant(&url, variant).await?;
            let form = if variant.0 == JSON { "json" } else { "html" };
            looks += 1;
            stale += usize::from(page.hash() != row["page"][form]["sha256"]);
        }
    }
    crowd.done.store(true, Ordering::SeqCst);
    let rows = reader.changelog(&index).await?;
    let mut crowded = 0;
    while let Some(sights) = readers.join_next().await {
        for (serial, json, hash) in sights?? {
            let row = rows
                .iter()
                .find(|row| row["serial"] == serial)
                .context("no such row")?;
            let form = if json { "json" } else { "html" };
            ensure!(
                row["page"][form]["sha256"] == *hash,
                "{form} at {serial} is another page"
            );
            crowded += 1;
        }
    }
    eprintln!(
        "{UPLOADS} uploads, each page warm in 4 variants: {stale} of {looks} pages old after the \
         announcement; 0 of {crowded} reads around it older than announced"
    );
    ensure!(stale == 0, "{stale} pages were old");
    Ok(())
}

#[tokio::test]
async fn a_first_upload_purges_what_was_not_there() -> anyhow::Result<()> {
    let edge = Edge::start()?;
    let reader = Reader::new()?;
    let urls = [
        edge.page("new-one"),
        format!("{}/pypi/new-one/json", edge.pop.url()),
    ];
    for url in &urls {
        for variant in VARIANTS {
            reader.variant(url, variant).await?;
            let cached = reader.variant(url, variant).await?;
            let seen = (cached.status, cached.cache.as_deref());
            ensure!(seen == (404, Some("HIT")), "{url} {variant:?}: {seen:?}");
        }
    }
    let dist = wheel("new-one", "1.0", &Opts::default());
    let serial = edge
        .upload("new-one", "1.0", &dist)
        .await?
        .serial
        .context("no serial")?;
    reader.wait_for(&edge.index.url(), serial).await?;
    for url in &urls {
        for variant in VARIANTS {
            let page = reader.variant(url, variant).await?;
            ensure!(
                (page.status, page.serial) == (200, Some(serial)),
                "{url} {variant:?}: {page:?}"
            );
        }
    }
    Ok(())
}

/// What clients send is folded: neither a query nor a coding that few take makes a copy of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_and_rare_codings_share_the_copy_that_is_there() -> anyhow::Result<()> {
    let edge = Edge::start()?;
    let dist = wheel("folded", "1.0", &Opts::default());
    edge.upload("folded", "1.0", &dist).await?;
    edge.index.settle()?;
    let (page, json) = (
        edge.page("folded"),
        format!("{}/pypi/folded/json", edge.pop.url()),
    );
    let html = "text/html; charset=UTF-8";
    let client = reqwest::Client::builder().no_gzip().no_proxy().build()?;
    for (url, accept_encoding, content_type, coding, cache) in [
        (page.clone(), "gzip", html, "gzip", "MISS"),
        (page.clone(), "gzip, deflate, br, zstd", html, "gzip", "HIT"),
        (format!("{page}?a=1"), "gzip;q=0.5", html, "gzip", "HIT"),
        (format!("{page}?format=junk"), "gzip", html, "gzip", "HIT"),
        (page.clone(), "zstd", html, "", "MISS"),
        (page.clone(), "", html, "", "HIT"),
        (
            format!("{page}?format={JSON}"),
            "gzip",
            JSON,
            "gzip",
            "MISS",
        ),
        (
            format!("{page}?b&format=application%2Fvnd.pypi.simple.latest%2Bjson"),
            "gzip, zstd",
            JSON,
            "gzip",
            "HIT",
        ),
        (json.clone(), "gzip", "application/json", "gzip", "MISS"),
        (
            format!("{json}?a=1"),
            "gzip",
            "application/json",
            "gzip",
            "HIT",
        ),
        (
            format!("{json}?a=2"),
            "zstd, gzip",
            "application/json",
            "gzip",
            "HIT",
        ),
    ] {
        let request = client.get(&url).header("accept-encoding", accept_encoding);
        let answer = request.header("accept", "*/*").send().await?;
        let header = |name: &str| {
            let value = answer.headers().get(name);
            value.and_then(|it| it.to_str().ok()).unwrap_or_default()
        };
        let seen = ["content-type", "content-encoding", "x-cache"].map(header);
        ensure!(
            seen == [content_type, coding, cache],
            "{url} {accept_encoding}: {seen:?}"
        );
    }
    Ok(())
}

/// One upload while purges fail: taken, visible at the origin, kept from mirrors, its duty open.
async fn upload_unannounced(index: &TestIndex) -> anyhow::Result<()> {
    let dist = wheel("waiting", "1.0", &Opts::default());
    let answer = Form::of("waiting", "1.0", &dist).send(index).await?;
    ensure!(
        (answer.status, answer.serial) == (200, Some(3)),
        "{answer:?}"
    );
    // Failed at least twice, so that what follows is not just an early look.
    let failed = "select count(*) from purges where attempts >= 2 and acknowledged_at is null";
    let deadline = std::time::Instant::now() + lockstep_tests::index::PATIENCE;
    while index.database().query(failed)? != "1" {
        ensure!(
            std::time::Instant::now() < deadline,
            "nobody purges:\n{}",
            index.log()
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let open = index
        .database()
        .query("select count(*) from outbox where purged_at is null")?;
    ensure!(open == "1", "{open} transactions owe a purge");
    let reader = Reader::new()?;
    let state = reader.state(&index.url()).await?;
    ensure!(
        state["committed-serial"] == 3 && state["announced-serial"] == 0,
        "{state}"
    );
    let rows = reader.changelog(&index.url()).await?;
    ensure!(rows.is_empty(), "mirrors are told: {rows:?}");
    let list = reader
        .variant(&format!("{}/simple/", index.url()), (JSON, false))
        .await?
        .json()?;
    ensure!(
        list["projects"].as_array().is_some_and(Vec::is_empty),
        "mirrors are told: {list}"
    );
    let page = reader
        .get(&format!("{}/simple/waiting/", index.url()))
        .await?;
    ensure!(page.status == 200, "the origin hides it");
    Ok(())
}

async fn announced_in_the_end(index: &TestIndex) -> anyhow::Result<()> {
    index.settle()?;
    let state = Reader::new()?.state(&index.url()).await?;
    ensure!(state["announced-serial"] == 3, "{state}");
    ensure!(
        index.log().contains("purge failed"),
        "nobody was told:\n{}",
        index.log()
    );
    ensure!(
        !index.log().contains("lsk_"),
        "a token in the log:\n{}",
        index.log()
    );
    index.fsck()
}

#[tokio::test]
async fn a_cache_that_answers_503_holds_the_announcement_and_nothing_else() -> anyhow::Result<()> {
    let sink = PurgeSink::start()?;
    sink.say(503);
    let settings = sink.settings("50ms");
    let index = TestIndex::with(Options {
        settings,
        ..Options::default()
    })?;
    upload_unannounced(&index).await?;
    let failed = sink.purges().len();
    sink.say(200);
    announced_in_the_end(&index).await?;
    eprintln!(
        "{failed} purges answered 503, {} in all",
        sink.purges().len()
    );
    ensure!(
        sink.purges().len() >= failed + 2,
        "both passes come after the failures"
    );
    Ok(())
}

#[tokio::test]
async fn a_cache_that_is_gone_is_purged_when_it_comes_back() -> anyhow::Result<()> {
    let address = free_address()?;
    let index = TestIndex::with(Options {
        settings: settings("gone", address, "50ms"),
        ..Options::default()
    })?;
    upload_unannounced(&index).await?;
    let sink = PurgeSink::at(address)?;
    announced_in_the_end(&index).await?;
    ensure!(sink.purges().len() >= 2, "{:?}", sink.purges());
    Ok(())
}
