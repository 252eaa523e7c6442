//! Pages answered from memory, and never an old one (promise P4): many readers at one process while
//! another takes uploads, and every wake-up call is lost. What a reader must see at least is noted
//! before its request: what was acknowledged by then, and what any reader has been shown by then.
//!
//! The same runs again with the confirmation left out, as in a cache that trusts NOTIFY. It must then
//! show old pages: a test that can't fail proves nothing.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::future::join_all;
use lockstep_core::digest::Sha256;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::{Options, PATIENCE, TestIndex};
use lockstep_tests::reader::{JSON, Reader};

const ROUNDS: usize = 30;
const PROJECTS: usize = 4;
const READERS: usize = 16;

/// What all readers know of a project: a page read later must not be older.
#[derive(Default)]
struct Floor {
    acknowledged: AtomicU64,
    shown: AtomicU64,
}

#[derive(Default)]
struct Counts {
    reads: AtomicUsize,
    /// Older than what was acknowledged before the request.
    stale: AtomicUsize,
    /// Older than what somebody had been shown before the request.
    backwards: AtomicUsize,
    /// 503.
    refused: AtomicUsize,
}

impl Counts {
    fn get(&self) -> [usize; 4] {
        [&self.reads, &self.stale, &self.backwards, &self.refused]
            .map(|count| count.load(Ordering::SeqCst))
    }
}

struct Scene {
    taker: TestIndex,
    shower: TestIndex,
    floors: Vec<Floor>,
    counts: Counts,
    ended: AtomicBool,
}

impl Scene {
    fn set(fault: Option<&str>) -> anyhow::Result<Self> {
        let mut taker = TestIndex::with(Options::default())?;
        // For the sibling only: the first is running.
        taker.options.fault = fault.map(str::to_owned);
        let shower = taker.sibling()?;
        Ok(Self {
            taker,
            shower,
            floors: (0..PROJECTS).map(|_| Floor::default()).collect(),
            counts: Counts::default(),
            ended: AtomicBool::new(false),
        })
    }

    /// Uploads to one process until it is taken.
    async fn upload(&self, round: usize) -> anyhow::Result<()> {
        let project = round % PROJECTS;
        let (name, version) = (format!("hot-{project}"), format!("{round}.0"));
        let dist = wheel(&name, &version, &Opts::default());
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let answer = Form::of(&name, &version, &dist).send(&self.taker).await?;
            if answer.status == 200 {
                let serial = answer.serial.context("no serial")?;
                let floor = &self.floors[project].acknowledged;
                floor.fetch_max(serial, Ordering::SeqCst);
                return Ok(());
            }
            ensure!(answer.status == 503, "{answer:?}");
            ensure!(std::time::Instant::now() < deadline, "{answer:?}");
        }
    }

    /// Reads from the other, and judges what comes.
    async fn read(&self, reader: &Reader, project: usize, html: bool) -> anyhow::Result<()> {
        let url = format!("{}/simple/hot-{project}/", self.shower.url());
        let floor = &self.floors[project];
        let acknowledged = floor.acknowledged.load(Ordering::SeqCst);
        let shown = floor.shown.load(Ordering::SeqCst);
        let accept = if html { "text/html" } else { JSON };
        let page = reader.variant(&url, (accept, false)).await?;
        let counts = &self.counts;
        counts.reads.fetch_add(1, Ordering::SeqCst);
        if page.status == 503 {
            counts.refused.fetch_add(1, Ordering::SeqCst);
            return Ok(());
        }
        ensure!(page.status == 200, "{url}: {}", page.status);
        let serial = page.serial.context("no serial")?;
        let tail = [
            format!("<!--SERIAL {serial}-->"),
            format!("\"_last-serial\":{serial}}}"),
        ];
        let body = String::from_utf8_lossy(&page.bytes);
        ensure!(
            tail.iter().any(|tail| body.contains(tail)),
            "{serial}: {body}"
        );
        let old = |floor| usize::from(serial < floor);
        counts.stale.fetch_add(old(acknowledged), Ordering::SeqCst);
        counts.backwards.fetch_add(old(shown), Ordering::SeqCst);
        floor.shown.fetch_max(serial, Ordering::SeqCst);
        Ok(())
    }

    async fn read_on(&self, number: usize) -> anyhow::Result<()> {
        let reader = Reader::new()?;
        while !self.ended.load(Ordering::SeqCst) {
            self.read(&reader, number % PROJECTS, number.is_multiple_of(3))
                .await?;
        }
        Ok(())
    }

    /// Cuts connections to the database: of those who listen, so that no wake-up call arrives, or all.
    fn cut(&self, all: bool) -> anyhow::Result<()> {
        let whose = if all { "" } else { "and query like 'listen %'" };
        let cut = format!(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity \
             where datname = current_database() and pid <> pg_backend_pid() {whose}"
        );
        self.taker.database().query(&cut).map(drop)
    }

    async fn publish(&self) -> anyhow::Result<()> {
        let reader = Reader::new()?;
        for round in PROJECTS..ROUNDS {
            self.cut(round == ROUNDS / 2)?;
            self.upload(round).await?;
            for html in [true, false] {
                self.read(&reader, round % PROJECTS, html).await?;
            }
        }
        self.ended.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// `[reads, stale, backwards, refused]`
    async fn run(fault: Option<&str>) -> anyhow::Result<[usize; 4]> {
        let scene = Self::set(fault)?;
        for round in 0..PROJECTS {
            scene.upload(round).await?;
        }
        let readers = join_all((0..READERS).map(|number| scene.read_on(number)));
        let (published, readers) = tokio::join!(
            async {
                let published = scene.publish().await;
                scene.ended.store(true, Ordering::SeqCst);
                published
            },
            readers
        );
        published?;
        readers.into_iter().collect::<anyhow::Result<()>>()?;
        scene.taker.settle()?;
        Ok(scene.counts.get())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_nobody_is_shown_an_old_page_though_no_wake_up_call_arrives()
-> anyhow::Result<()> {
    let [reads, stale, backwards, refused] = Scene::run(None).await?;
    eprintln!("FRESH {reads} reads: {stale} old, {backwards} backwards, {refused} refused");
    assert_eq!((stale, backwards), (0, 0), "of {reads}");
    assert!(refused < reads / 2, "{refused} of {reads} refused");
    let mut trusting = [0; 4];
    for _ in 0..3 {
        if trusting[1] == 0 {
            trusting = Scene::run(Some("fresh.confirm:skip")).await?;
        }
    }
    let [reads, stale, ..] = trusting;
    eprintln!("FRESH without the confirmation, {reads} reads: {stale} old");
    assert!(stale > 0, "the test can't fail, it proves nothing");
    Ok(())
}

/// A counter of a process.
async fn counted(index: &TestIndex, name: &str) -> anyhow::Result<u64> {
    let reader = Reader::new()?;
    let metrics = reader.get(&format!("{}/metrics", index.url())).await?.bytes;
    let metrics = String::from_utf8(metrics)?;
    let name = format!("lockstep_{name}_total ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
    Ok(line.context("no such counter")?.parse()?)
}

async fn upload(index: &TestIndex, version: &str) -> anyhow::Result<u64> {
    let dist = wheel("sample", version, &Opts::default());
    let answer = Form::of("sample", version, &dist).send(index).await?;
    ensure!(answer.status == 200, "{answer:?}");
    answer.serial.context("no serial")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_confirmation_serves_all_who_wait_for_it() -> anyhow::Result<()> {
    const AT_ONCE: usize = 200;
    let index = TestIndex::start()?;
    let serial = upload(&index, "1.0").await?;
    index.settle()?;
    let (reader, url) = (
        Arc::new(Reader::new()?),
        format!("{}/simple/sample/", index.url()),
    );
    reader.get(&url).await?;
    // The database is made to wait, and so is the first confirmation, and all readers with it.
    let wait = "begin; lock table serials in access exclusive mode; select pg_sleep(2); commit";
    let url_of_database = index.database().url();
    let mut holder = Command::new("psql")
        .args([&url_of_database, "--no-psqlrc", "--quiet", "-c", wait])
        .stdout(Stdio::null())
        .spawn()?;
    let held = "select count(*) from pg_locks where relation = 'serials'::regclass \
                and mode = 'AccessExclusiveLock' and granted";
    while index.database().query(held)? == "0" {
        ensure!(holder.try_wait()?.is_none(), "nobody holds the lock");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let reads = (0..AT_ONCE).map(|_| {
        let (reader, url) = (reader.clone(), url.clone());
        async move { reader.get(&url).await }
    });
    for page in join_all(reads).await {
        let page = page?;
        assert_eq!((page.status, page.serial), (200, Some(serial)));
    }
    holder.wait()?;
    let asked = counted(&index, "read_confirmations").await?;
    let told = counted(&index, "read_from_memory").await?;
    let looked_up = counted(&index, "read_lookups").await?;
    eprintln!(
        "FRESH {AT_ONCE} readers at once: {asked} confirmations, {looked_up} look-ups in all"
    );
    assert_eq!(told, AT_ONCE as u64);
    assert!(
        asked + looked_up < AT_ONCE as u64 / 4,
        "{asked} + {looked_up}"
    );
    Ok(())
}

/// The shown page, by both its faces.
async fn shown(index: &TestIndex) -> anyhow::Result<(u16, Option<u64>, String)> {
    let reader = Reader::new()?;
    let page = reader
        .variant(
            &format!("{}/simple/sample/", index.url()),
            ("text/html", false),
        )
        .await?;
    Ok((page.status, page.serial, page.hash()))
}

#[tokio::test]
async fn rows_of_no_project_and_more_news_than_are_looked_through() -> anyhow::Result<()> {
    let taker = TestIndex::start()?;
    let index = taker.sibling()?;
    let first = upload(&taker, "1.0").await?;
    let before = shown(&index).await?;
    assert_eq!((before.0, before.1), (200, Some(first)));
    for lost in [1, 1500] {
        // As `advance-serial` fills serials that were lost with a database.
        let fill = format!(
            "begin; update serials set value = value + {lost}; \
             insert into changelog (serial, at, kind, action, content_sha256, files_sha256, \
                                    files_count, listed) \
             select lost, clock_timestamp(), 'serial-lost', 'lost', sha256(''), sha256(''), 0, false \
             from serials, generate_series(value - {lost} + 1, value) as lost; \
             update watermarks set announced = (select value from serials); commit"
        );
        index.database().query(&fill)?;
        let again = shown(&index).await?;
        assert_eq!((again.0, again.2), (200, shown(&taker).await?.2), "{lost}");
        let next = upload(&taker, &format!("{}.0", lost + 1)).await?;
        assert_eq!(shown(&index).await?.1, Some(next), "{lost}");
    }
    Ok(())
}

#[tokio::test]
async fn a_database_with_another_history_is_noticed_at_once() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    upload(&index, "1.0").await?;
    let old = shown(&index).await?;
    upload(&index, "2.0").await?;
    index.settle()?;
    let new = shown(&index).await?;
    assert_eq!(shown(&index).await?, new);
    assert_ne!(old.2, new.2);
    // The same serials with other rows, as after a restore: the page is the first one again.
    let restore = "begin; \
         update changelog set at = at + interval '1 second' where serial = (select value from serials); \
         update projects set (last_serial, html_sha256, json_sha256) = \
             (select page_serial, html_sha256, json_sha256 from changelog where serial = 3); commit";
    index.database().query(restore)?;
    assert_eq!(shown(&index).await?, old, "memory of a lost history");
    assert!(old.2.parse::<Sha256>().is_ok());
    Ok(())
}
