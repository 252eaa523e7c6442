//! What mirrors wait for: news by long poll, and the announced serial, past which nobody is told.

use std::time::{Duration, Instant};

use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::index::{Options, TestIndex, free_address};

use super::{JSON_V1, upload};
use crate::http::get;

#[tokio::test]
async fn a_waiting_mirror_is_answered_when_there_is_news() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let started = Instant::now();
    let dist = wheel("sample", "1.0", &Opts::default());
    let (news, _) = tokio::try_join!(get(&index, "/changelog/?since=0&wait=30", &[]), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        upload(&index, "sample", "1.0", &dist).await
    })?;
    let waited = started.elapsed();
    eprintln!(
        "the news came {:?} after the upload began",
        waited.saturating_sub(Duration::from_millis(500))
    );
    assert_eq!(news.json()?["next"], 3, "{}", news.text());
    assert!(waited < Duration::from_secs(5), "it took {waited:?}");

    let started = Instant::now();
    let nothing = get(&index, "/changelog/?since=3&wait=1", &[])
        .await?
        .json()?;
    assert_eq!(
        (&nothing["changes"], &nothing["next"]),
        (&serde_json::json!([]), &3.into())
    );
    assert!(
        started.elapsed() >= Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );

    // What is there already is not waited for; other projects' rows are no news of this one.
    let started = Instant::now();
    assert_eq!(
        get(&index, "/changelog/?since=2&wait=30", &[])
            .await?
            .json()?["next"],
        3
    );
    assert!(started.elapsed() < Duration::from_secs(2));
    Ok(())
}

#[tokio::test]
async fn nobody_is_told_of_what_is_not_purged() -> anyhow::Result<()> {
    // A CDN that is not there: nothing is ever acknowledged.
    let settings = format!(
        "[[cdn]]\nname = 'gone'\nkind = 'varnish'\nurl = 'http://{}'\n",
        free_address()?
    );
    let index = TestIndex::with(Options {
        settings,
        leftovers: true,
        ..Options::default()
    })?;
    upload(
        &index,
        "sample",
        "1.0",
        &wheel("sample", "1.0", &Opts::default()),
    )
    .await?;

    // The page is fresh: who asks for it is shown what was acknowledged to the uploader.
    assert_eq!(
        get(&index, "/simple/sample/", &[])
            .await?
            .header("x-pypi-last-serial"),
        "3"
    );
    // Each mark is a gauge; neighbours show where it stands still.
    let gauges = get(&index, "/metrics", &[]).await?.text();
    for (mark, value) in [
        ("committed", 3),
        ("purged", 0),
        ("verified", 0),
        ("announced", 0),
    ] {
        let line = format!("lockstep_serial_{mark} {value}\n");
        assert!(gauges.contains(&line), "{line} not in\n{gauges}");
    }
    // The whole is not told yet.
    let told = get(&index, "/changelog/", &[]).await?.json()?;
    assert_eq!(
        (&told["changes"], &told["next"]),
        (&serde_json::json!([]), &0.into())
    );
    assert_eq!(
        (
            &told["meta"]["committed-serial"],
            &told["meta"]["announced-serial"]
        ),
        (&3.into(), &0.into())
    );
    let row = get(&index, "/changelog/1", &[]).await?;
    assert_eq!((row.status, row.header("retry-after")), (404, "1"));
    let list = get(&index, "/simple/", &[("accept", JSON_V1)]).await?;
    assert_eq!(list.header("x-pypi-last-serial"), "0");
    assert_eq!(list.json()?["projects"], serde_json::json!([]));
    // To operators it is.
    let all = get(&index, "/changelog/?horizon=committed", &[])
        .await?
        .json()?;
    assert_eq!(all["next"], 3);
    let started = Instant::now();
    let waited = get(&index, "/changelog/?horizon=committed&since=0&wait=20", &[]).await?;
    assert_eq!(waited.json()?["next"], 3);
    assert!(started.elapsed() < Duration::from_secs(5));
    Ok(())
}
