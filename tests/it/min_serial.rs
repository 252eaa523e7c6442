//! `X-Min-Serial` at a real edge: the reader gets a page at least that new or a 503, nobody else is
//! harmed, and the header is no lever to get past the cache.

use std::time::Duration;

use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::{Options, TestIndex, free_address};
use lockstep_tests::slow::SlowWay;
use lockstep_tests::varnish::Pop;
use reqwest::Client;

/// An edge that is never purged, so that its copy stays old until somebody asks for more.
struct Scene {
    index: TestIndex,
    slow: SlowWay,
    pop: Pop,
    http: Client,
}

impl Scene {
    async fn set() -> anyhow::Result<Self> {
        let origin = free_address()?;
        let slow = SlowWay::start(origin).await?;
        let pop = Pop::start("pop-1", slow.address())?;
        let options = Options {
            address: Some(origin),
            ..Options::default()
        };
        let index = TestIndex::with(options)?;
        let scene = Self {
            index,
            slow,
            pop,
            http: Client::builder().no_gzip().build()?,
        };
        scene.upload("1.0").await?;
        scene.upload("2.0").await?;
        Ok(scene)
    }

    async fn upload(&self, version: &str) -> anyhow::Result<u64> {
        let dist = wheel("sample", version, &Opts::default());
        let answer = Form::of("sample", version, &dist).send(&self.index).await?;
        anyhow::ensure!(answer.status == 200, "{answer:?}");
        Ok(answer.serial.unwrap_or(0))
    }

    async fn get(&self, min_serial: Option<&str>) -> anyhow::Result<reqwest::Response> {
        let mut request = self.http.get(format!("{}/simple/sample/", self.pop.url()));
        if let Some(serial) = min_serial {
            request = request.header("x-min-serial", serial);
        }
        Ok(request.send().await?)
    }

    async fn serial(&self, min_serial: Option<&str>) -> anyhow::Result<u64> {
        let response = self.get(min_serial).await?;
        anyhow::ensure!(response.status() == 200, "{response:?}");
        let header = response.headers()["x-pypi-last-serial"].to_str()?.parse()?;
        let body = response.text().await?;
        anyhow::ensure!(body.ends_with(&format!("<!--SERIAL {header}-->")), "{body}");
        Ok(header)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_copy_is_replaced_for_who_asks_and_for_everybody() -> anyhow::Result<()> {
    let scene = Scene::set().await?;
    let old = scene.serial(None).await?;
    let new = scene.upload("3.0").await?;
    assert_eq!(
        scene.serial(None).await?,
        old,
        "the edge was not purged: it still has the old page"
    );
    assert_eq!(scene.serial(Some(&new.to_string())).await?, new);
    assert_eq!(scene.serial(None).await?, new, "everybody gains");
    let fetches = scene.slow.fetches();
    assert_eq!(scene.serial(Some(&new.to_string())).await?, new);
    assert_eq!(scene.serial(Some(&old.to_string())).await?, new);
    assert_eq!(
        scene.slow.fetches(),
        fetches,
        "a copy that is new enough is a hit"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_readers_at_once_cost_one_fetch() -> anyhow::Result<()> {
    let scene = Scene::set().await?;
    scene.serial(None).await?;
    let new = scene.upload("3.0").await?.to_string();
    scene.slow.delay(Duration::from_millis(500));
    let before = scene.slow.fetches();
    let reads = (0..50).map(|_| scene.serial(Some(&new)));
    for serial in futures_util::future::join_all(reads).await {
        assert_eq!(serial?.to_string(), new);
    }
    let fetches = scene.slow.fetches() - before;
    eprintln!("MIN-SERIAL 50 readers at once: {fetches} fetches");
    assert!(fetches <= 2, "{fetches} fetches for 50 readers");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_yet_is_503_and_harms_nobody() -> anyhow::Result<()> {
    let scene = Scene::set().await?;
    let now = scene.serial(None).await?;
    let before = scene.slow.fetches();
    for _ in 0..20 {
        let answer = scene.get(Some("1000000000000")).await?;
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key("retry-after"));
    }
    let asked = scene.slow.fetches() - before;
    eprintln!("MIN-SERIAL 20 readers beyond the end: {asked} cheap 503s of the origin");
    assert!(asked <= 20, "{asked}");
    // Not cached, and the copy that others read is still there.
    let settled = scene.slow.fetches();
    assert_eq!(scene.serial(None).await?, now);
    assert!(scene.slow.fetches() <= settled + 1);
    for junk in ["x", "-1", "1.5", "99999999999999999999999"] {
        assert_eq!(scene.get(Some(junk)).await?.status(), 400, "{junk}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_old_answer_never_replaces_a_newer_page() -> anyhow::Result<()> {
    let scene = Scene::set().await?;
    // A fill of the old page is on its way …
    scene.slow.delay(Duration::from_millis(1500));
    let (pop, http) = (scene.pop.url(), scene.http.clone());
    let fill = tokio::spawn(async move { http.get(format!("{pop}/simple/sample/")).send().await });
    tokio::time::sleep(Duration::from_millis(400)).await;
    // … when a newer one is asked for, and comes fast.
    let new = scene.upload("3.0").await?;
    scene.slow.delay(Duration::ZERO);
    assert_eq!(scene.serial(Some(&new.to_string())).await?, new);
    fill.await??;
    // Whatever the cache holds now, who asks for the new page gets it, and then all do.
    assert_eq!(scene.serial(Some(&new.to_string())).await?, new);
    assert_eq!(scene.serial(None).await?, new);
    Ok(())
}
