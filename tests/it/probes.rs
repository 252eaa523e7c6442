//! Probes that can't tell, or look at something else: announcements are held, or `max_wait` tells anyway,
//! and the log and the metrics name the probe.

use anyhow::ensure;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::{Options, PATIENCE, TestIndex, free_address};
use lockstep_tests::reader::Reader;

/// An index whose only probe looks at `url`, with a change that it has to judge.
async fn looking_at(url: &str, more: &str) -> anyhow::Result<TestIndex> {
    let settings = format!("{more}[[probe]]\nname = 'far'\nurl = '{url}'\n");
    let index = TestIndex::with(Options {
        settings,
        leftovers: true,
        ..Options::default()
    })?;
    let dist = wheel("sample", "1.0", &Opts::default());
    let answer = Form::of("sample", "1.0", &dist).send(&index).await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(index)
}

/// Waits until the metrics have the line `metric` with a count above 0.
async fn counted(index: &TestIndex, metric: &str) -> anyhow::Result<()> {
    let begun = std::time::Instant::now();
    loop {
        let text = Reader::new()?
            .get(&format!("{}/metrics", index.url()))
            .await?
            .bytes;
        let text = String::from_utf8(text)?;
        let line = text.lines().find_map(|line| line.strip_prefix(metric));
        if line.is_some_and(|count| count.trim() != "0") {
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "no {metric} in\n{text}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

async fn announced(index: &TestIndex) -> anyhow::Result<u64> {
    let state = Reader::new()?.state(&index.url()).await?;
    Ok(state["announced-serial"].as_u64().unwrap_or(u64::MAX))
}

#[tokio::test]
async fn a_probe_that_is_down_holds_what_it_has_to_judge() -> anyhow::Result<()> {
    let nobody = format!("http://{}", free_address()?);
    let index = looking_at(&nobody, "").await?;
    counted(&index, "lockstep_failed_looks_total{probe=\"far\"}").await?;
    ensure!(
        announced(&index).await? == 0,
        "told although nobody has looked"
    );
    let log = index.log();
    ensure!(
        log.contains("the probe can't be judged") && log.contains("far"),
        "{log}"
    );
    Ok(())
}

#[tokio::test]
async fn a_probe_at_another_site_is_never_taken_for_fresh() -> anyhow::Result<()> {
    // Another index, with a project of this name that looks the same to people.
    let other = TestIndex::start()?;
    let dist = wheel(
        "sample",
        "1.0",
        &Opts {
            payload: 7,
            ..Opts::default()
        },
    );
    ensure!(Form::of("sample", "1.0", &dist).send(&other).await?.status == 200);
    other.settle()?;
    let index = looking_at(&other.url(), "").await?;
    counted(&index, "lockstep_foreign_looks_total{probe=\"far\"}").await?;
    ensure!(
        announced(&index).await? == 0,
        "another site's page was taken for ours"
    );
    let log = index.log();
    ensure!(log.contains("the probe serves another site"), "{log}");
    Ok(())
}

#[tokio::test]
async fn after_max_wait_mirrors_are_told_all_the_same_and_never_silently() -> anyhow::Result<()> {
    let nobody = format!("http://{}", free_address()?);
    let index = looking_at(&nobody, "[announce]\nmax_wait = '1s'\n").await?;
    Reader::new()?.wait_for(&index.url(), 3).await?;
    counted(&index, "lockstep_forced_announcements_total").await?;
    let log = index.log();
    ensure!(log.contains("announced after max_wait"), "{log}");
    Ok(())
}
