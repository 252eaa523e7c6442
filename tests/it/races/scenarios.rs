//! What can go wrong, one scenario each.

use std::time::Duration;

use lockstep_tests::fastly::Fault;

use super::{
    AS_IN_2013, KEEPING_SLOW_FILLS, NO_SECOND_PASS, NO_VERIFY, SOFT, TWO_PASSES, WHOLE, World,
    compare, scenario, stale_after_announcement,
};

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

#[tokio::test(flavor = "multi_thread")]
async fn soft_purges_meet_stale_while_revalidate() -> anyhow::Result<()> {
    let world = World {
        people_pause: Duration::from_millis(700),
        projects: 5,
        ..World::default()
    };
    // Both passes are there: the old page outlives them.
    scenario(
        "soft purge, stale-while-revalidate",
        world,
        ("hard purges", SOFT),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fill_takes_longer_than_the_second_purge() -> anyhow::Result<()> {
    let world = World {
        origin_delay: Duration::from_secs(4),
        then_fast: true,
        projects: 3,
        ..World::default()
    };
    // No probe looks: it is the caches that do not keep what was long on its way.
    compare(
        "fill in flight 4 s, no verify",
        world,
        TWO_PASSES,
        ("the rule that such a fill is not kept", KEEPING_SLOW_FILLS),
    )
    .await
}
