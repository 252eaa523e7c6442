//! The races of 2013 and after, with real caches: two POPs behind a shield, and a purge API that
//! answers "accepted" long before it is true.
//!
//! Each scenario counts pages that a mirror gets *after* the changelog told it of them. With the whole
//! protocol the count is 0. With a part of it switched off the same scenario must count more: a test
//! that can't fail proves nothing.

use std::time::{Duration, Instant};

use lockstep_core::digest::Sha256;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::fastly::{FakeFastly, Fault};
use lockstep_tests::form::Form;
use lockstep_tests::index::{Options, PATIENCE, TestIndex, free_address};
use lockstep_tests::slow::SlowWay;
use lockstep_tests::varnish::Pop;

/// What is switched on.
#[derive(Debug, Clone, Copy)]
struct Protocol {
    second_pass_after: &'static str,
    after: &'static str,
    probes: bool,
}

const WHOLE: Protocol = Protocol {
    second_pass_after: "2s",
    after: "verify",
    probes: true,
};
const NO_SECOND_PASS: Protocol = Protocol {
    second_pass_after: "0s",
    after: "purge",
    probes: false,
};
/// Announce at once, as in May 2013.
const AS_IN_2013: Protocol = Protocol {
    second_pass_after: "2s",
    after: "commit",
    probes: false,
};
const NO_VERIFY: Protocol = Protocol {
    second_pass_after: "2s",
    after: "purge",
    probes: false,
};

/// How bad the world is.
#[derive(Debug, Clone, Default)]
struct World {
    edge_delay: Duration,
    shield_delay: Duration,
    origin_delay: Duration,
    faults: Vec<Fault>,
    projects: usize,
}

/// An index behind a shield and two edges.
struct Scene {
    index: TestIndex,
    edges: [Pop; 2],
    _shield: Pop,
    slow: SlowWay,
    fastly: FakeFastly,
}

impl Scene {
    async fn set(world: &World, protocol: Protocol) -> anyhow::Result<Self> {
        let origin = free_address()?;
        let slow = SlowWay::start(origin).await?;
        let shield = Pop::start("shield", slow.address())?;
        let edges = [
            Pop::start("edge-1", shield.address())?,
            Pop::start("edge-2", shield.address())?,
        ];
        let fastly = FakeFastly::start(vec![
            (edges[0].url(), world.edge_delay),
            (edges[1].url(), world.edge_delay),
            (shield.url(), world.shield_delay),
        ])
        .await?;
        let mut settings = format!(
            "[announce]\nafter='{}'\n{}",
            protocol.after,
            fastly.settings(protocol.second_pass_after)
        );
        for edge in edges.iter().filter(|_| protocol.probes) {
            let probe = [
                "[[probe]]\nname='",
                edge.name(),
                "'\nurl='",
                &edge.url(),
                "'\n",
            ];
            settings.push_str(&probe.concat());
        }
        let options = Options {
            public_url: Some(edges[0].url()),
            settings,
            address: Some(origin),
            ..Options::default()
        };
        let index = TestIndex::with(options)?;
        Ok(Self {
            index,
            edges,
            _shield: shield,
            slow,
            fastly,
        })
    }

    async fn upload(&self, project: &str, version: &str) -> anyhow::Result<()> {
        let dist = wheel(project, version, &Opts::default());
        let answer = Form::of(project, version, &dist).send(&self.index).await?;
        anyhow::ensure!(answer.status == 200, "{answer:?}");
        Ok(())
    }

    /// A mirror at an edge that reads the page the moment the changelog tells it of `version`:
    /// was the page an old one?
    async fn mirror_gets_old_page(&self, edge: usize, project: &str) -> anyhow::Result<bool> {
        let deadline = Instant::now() + PATIENCE;
        let (mut since, mut announced) = (0, None);
        while announced.is_none() {
            anyhow::ensure!(
                Instant::now() < deadline,
                "never announced:\n{}",
                self.index.log()
            );
            let url = format!(
                "{}/changelog/?since={since}&wait=20&project={project}",
                self.index.url()
            );
            let told: serde_json::Value =
                serde_json::from_str(&reqwest::get(url).await?.text().await?)?;
            since = told["next"].as_u64().unwrap_or(since);
            let rows = told["changes"].as_array().cloned().unwrap_or_default();
            announced = rows.into_iter().rfind(|row| row["version"] == "2.0");
        }
        let wanted = announced.unwrap_or_default()["page"]["html"]["sha256"].clone();
        let page = read(&self.edges[edge], project).await?;
        Ok(wanted != Sha256::of(&page).to_string())
    }
}

/// Reads a page as all readers here do, so that they share one variant in the caches.
async fn read(edge: &Pop, project: &str) -> anyhow::Result<Vec<u8>> {
    let client = reqwest::Client::builder().no_gzip().build()?;
    let request = client.get(format!("{}/simple/{project}/", edge.url()));
    let response = request.header("accept", "text/html").send().await?;
    Ok(response.bytes().await?.to_vec())
}

/// Publishes 2.0 of some projects whose pages are cached everywhere, while people read them, and
/// counts the mirrors that got an old page although they waited to be told.
async fn stale_after_announcement(
    world: World,
    protocol: Protocol,
) -> anyhow::Result<(usize, usize)> {
    let scene = Scene::set(&world, protocol).await?;
    let projects: Vec<String> = (0..world.projects).map(|n| format!("race-{n}")).collect();
    for project in &projects {
        scene.upload(project, "1.0").await?;
    }
    scene.index.settle()?;
    if world.origin_delay.is_zero() {
        for project in &projects {
            for edge in &scene.edges {
                read(edge, project).await?;
            }
        }
    }
    scene.slow.delay(world.origin_delay);
    if !world.origin_delay.is_zero() {
        // First-time readers begin a fill just before the commit.
        for project in &projects {
            for edge in scene.edges.iter().map(Pop::url) {
                let project = project.clone();
                tokio::spawn(async move {
                    let client = reqwest::Client::builder().no_gzip().build()?;
                    let request = client.get(format!("{edge}/simple/{project}/"));
                    request.header("accept", "text/html").send().await
                });
            }
        }
        tokio::time::sleep(world.origin_delay / 4).await;
    }
    scene.fastly.fail_next(world.faults.iter().copied());
    let publishing = async {
        for project in &projects {
            scene.upload(project, "2.0").await?;
        }
        anyhow::Ok(())
    };
    let reading = async {
        // People read all the while, and so refill the caches at the worst moments.
        loop {
            for project in &projects {
                for edge in &scene.edges {
                    let _ = read(edge, project).await;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mirrors = async {
        let mut stale = 0;
        let reads = projects
            .iter()
            .flat_map(|project| [0, 1].map(|edge| scene.mirror_gets_old_page(edge, project)));
        for old in futures_util::future::join_all(reads).await {
            stale += usize::from(old?);
        }
        anyhow::Ok(stale)
    };
    // The mirrors wait already when the first of them is published, as mirrors do.
    let told = async {
        let (published, stale) = tokio::join!(publishing, mirrors);
        published.and(stale)
    };
    tokio::select! {
        () = reading => Err(anyhow::anyhow!("readers never end")),
        stale = told => Ok((stale?, projects.len() * 2)),
    }
}

/// Runs a scenario twice: whole, and with a part switched off that it needs.
async fn scenario(name: &str, world: World, without: (&str, Protocol)) -> anyhow::Result<()> {
    let (stale, reads) = stale_after_announcement(world.clone(), WHOLE).await?;
    // A race is a matter of chance: the part that is missing must be missed in one of three tries.
    let mut stale_without = 0;
    for _ in 0..3 {
        if stale_without == 0 {
            (stale_without, _) = stale_after_announcement(world.clone(), without.1).await?;
        }
    }
    eprintln!(
        "RACE {name}: stale after announcement {stale} of {reads}; without {}: {stale_without} of {reads}",
        without.0
    );
    assert_eq!(stale, 0, "{name}");
    assert!(
        stale_without > 0,
        "{name}: the test can't fail, it proves nothing"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_takes_150_ms() -> anyhow::Result<()> {
    let delay = Duration::from_millis(150);
    let world = World {
        edge_delay: delay,
        shield_delay: delay,
        projects: 5,
        ..World::default()
    };
    scenario(
        "purge latency 150 ms",
        world,
        ("late announcement", AS_IN_2013),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_takes_a_second() -> anyhow::Result<()> {
    let delay = Duration::from_secs(1);
    let world = World {
        edge_delay: delay,
        shield_delay: delay,
        projects: 5,
        ..World::default()
    };
    scenario(
        "purge latency 1 s",
        world,
        ("late announcement", AS_IN_2013),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn edges_are_purged_before_their_shield() -> anyhow::Result<()> {
    let shield_delay = Duration::from_secs(1);
    let world = World {
        shield_delay,
        projects: 5,
        ..World::default()
    };
    scenario(
        "edge before shield",
        world,
        ("second pass and verify", NO_SECOND_PASS),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fill_is_in_flight_across_the_commit() -> anyhow::Result<()> {
    let world = World {
        origin_delay: Duration::from_millis(800),
        projects: 3,
        ..World::default()
    };
    scenario(
        "fill in flight 800 ms",
        world,
        ("second pass and verify", NO_SECOND_PASS),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn purges_are_accepted_and_lost() -> anyhow::Result<()> {
    // Both passes of the first batches vanish; only a look can tell.
    let world = World {
        faults: vec![Fault::Lost; 10],
        projects: 3,
        ..World::default()
    };
    scenario("purges accepted and lost", world, ("verify", NO_VERIFY)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_purge_api_has_every_kind_of_trouble() -> anyhow::Result<()> {
    use Fault::{Html, RateLimited, Reset, Unavailable};
    let faults = vec![Unavailable, Html, RateLimited, Reset, Unavailable, Reset];
    let world = World {
        faults,
        projects: 3,
        ..World::default()
    };
    let (stale, reads) = stale_after_announcement(world, WHOLE).await?;
    eprintln!("RACE purge API in trouble: stale after announcement {stale} of {reads}");
    assert_eq!(stale, 0);
    Ok(())
}
