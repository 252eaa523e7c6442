//! Waiting and streaming: news arrive without polling the database, and what never changes is
//! served as such.

use std::time::Duration;

use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::TestIndex;
use serde_json::Value;
use tokio::time::Instant;

async fn upload(index: &TestIndex, project: &str, version: &str) -> anyhow::Result<()> {
    let dist = wheel(project, version, &Opts::default());
    let answer = Form::of(project, version, &dist).send(index).await?;
    anyhow::ensure!(answer.status == 200, "{answer:?}");
    Ok(())
}

async fn json(index: &TestIndex, path: &str) -> anyhow::Result<Value> {
    let text = reqwest::get(format!("{}{path}", index.url()))
        .await?
        .text()
        .await?;
    Ok(serde_json::from_str(&text)?)
}

/// Reads a stream until it has `count` events; returns their ids.
async fn event_ids(mut stream: reqwest::Response, count: usize) -> anyhow::Result<Vec<u64>> {
    let mut text = String::new();
    while text.matches("\nid: ").count() + usize::from(text.starts_with("id: ")) < count {
        let chunk = tokio::time::timeout(Duration::from_secs(10), stream.chunk()).await??;
        let Some(chunk) = chunk else {
            anyhow::bail!("the stream ended: {text}")
        };
        text.push_str(std::str::from_utf8(&chunk)?);
    }
    // Events may put their data before their id.
    let ids = text
        .lines()
        .filter_map(|line| line.strip_prefix("id: ")?.parse().ok());
    Ok(ids.collect())
}

#[tokio::test]
async fn events_come_once_in_order_and_resume() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let url = format!("{}/changelog/events", index.url());
    let live = reqwest::get(&url).await?;
    assert_eq!(live.headers()["content-type"], "text/event-stream");
    upload(&index, "one", "1.0").await?;
    assert_eq!(event_ids(live, 3).await?, [1, 2, 3]);
    upload(&index, "one", "2.0").await?;
    index.settle()?;
    let resumed = reqwest::Client::new()
        .get(&url)
        .header("last-event-id", "2")
        .send()
        .await?;
    assert_eq!(event_ids(resumed, 3).await?, [3, 4, 5]);
    for (id, status) in [("x", 400), ("-1", 400), ("99", 404)] {
        let answer = reqwest::Client::new()
            .get(&url)
            .header("last-event-id", id)
            .send()
            .await?;
        assert_eq!(answer.status().as_u16(), status, "{id}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_idle_streams_cost_no_query_and_all_wake() -> anyhow::Result<()> {
    const STREAMS: usize = 1000;
    let index = TestIndex::start()?;
    upload(&index, "one", "1.0").await?;
    index.settle()?;
    let client = reqwest::Client::new();
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        streams.push(
            client
                .get(format!("{}/changelog/events", index.url()))
                .send()
                .await?,
        );
    }
    // What the whole process asks while nothing happens: its own polling, not the clients'.
    let asked = || -> anyhow::Result<u64> {
        let sql = "select pg_stat_clear_snapshot(); select xact_commit from pg_stat_database where datname = current_database()";
        let text = index.database().query(sql)?;
        Ok(text.lines().last().unwrap_or_default().trim().parse()?)
    };
    // PostgreSQL counts late: an idle backend reports after ten seconds.
    let reported = Duration::from_secs(11);
    tokio::time::sleep(reported).await;
    let before = asked()?;
    tokio::time::sleep(reported).await;
    let idle = asked()? - before;
    eprintln!(
        "STREAMS {STREAMS} idle streams: {idle} transactions in 11 s, all of them the loops' own"
    );
    assert!(idle < 100, "{idle} transactions for {STREAMS} idle clients");

    let begun = Instant::now();
    let (sent, woken) = tokio::join!(
        upload(&index, "two", "1.0"),
        futures_util::future::join_all(streams.into_iter().map(|stream| event_ids(stream, 3)))
    );
    sent?;
    for ids in woken {
        assert_eq!(ids?, [4, 5, 6]);
    }
    eprintln!(
        "STREAMS all {STREAMS} told {} ms after the upload began",
        begun.elapsed().as_millis()
    );
    Ok(())
}

#[tokio::test]
async fn a_snapshot_is_right_for_any_serial_while_publishing_goes_on() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    for (project, version) in [("a", "1"), ("b", "1"), ("a", "2"), ("c", "1"), ("b", "2")] {
        upload(&index, project, version).await?;
    }
    index.settle()?;
    let all = json(&index, "/changelog/").await?;
    let rows = all["changes"].as_array().cloned().unwrap_or_default();
    assert_eq!(rows.len(), 13);
    // Publishing goes on meanwhile: more projects, and more of the same.
    let publishing = async {
        for n in 0..12 {
            upload(&index, ["a", "d", "e"][n % 3], &format!("3.{n}")).await?;
        }
        anyhow::Ok(())
    };
    let reading = right_at_every_serial(&index, &rows);
    tokio::try_join!(publishing, reading)?;
    index.settle()?;
    let latest = reqwest::get(format!("{}/snapshot/", index.url())).await?;
    let announced = json(&index, "/changelog/state").await?["meta"]["announced-serial"].clone();
    assert_eq!(latest.url().path(), format!("/snapshot/{announced}"));
    assert!(
        latest.headers()["cache-control"]
            .to_str()?
            .contains("immutable")
    );
    for (path, status) in [
        ("/snapshot/99999", 404),
        ("/snapshot/x", 400),
        ("/changelog/segments/0", 404),
    ] {
        let answer = reqwest::get(format!("{}{path}", index.url())).await?;
        assert_eq!(answer.status().as_u16(), status, "{path}");
        assert_eq!(
            answer.headers().contains_key("retry-after"),
            status == 404,
            "{path}"
        );
    }
    Ok(())
}

/// Every snapshot of these 13 rows holds what can be read off them by hand.
async fn right_at_every_serial(index: &TestIndex, rows: &[Value]) -> anyhow::Result<()> {
    for at in 0..=13_u64 {
        // By hand: the last row of each project whose page was visible at that serial.
        let mut wanted = std::collections::BTreeMap::new();
        for row in rows
            .iter()
            .filter(|row| row["page"]["serial"].as_u64() <= Some(at))
        {
            wanted.insert(
                row["project"].as_str().unwrap_or_default().to_owned(),
                row.clone(),
            );
        }
        let text = reqwest::get(format!("{}/snapshot/{at}", index.url()))
            .await?
            .text()
            .await?;
        let lines: Vec<Value> = text
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        assert_eq!(lines.len(), wanted.len(), "at {at}");
        for (line, (project, row)) in lines.iter().zip(wanted) {
            assert_eq!(line["project"], project.as_str());
            assert_eq!(line["serial"], row["serial"]);
            assert_eq!(line["html"], row["page"]["html"]["sha256"]);
            assert_eq!(line["json"], row["page"]["json"]["sha256"]);
            assert_eq!(line["content"], row["content"]["sha256"]);
        }
    }
    Ok(())
}

/// Real rows of the one real page that there is, its last row being 3, so that the first segment fills
/// without a thousand uploads.
pub(crate) fn fill_a_segment(index: &TestIndex) -> anyhow::Result<()> {
    index.database().query(
        "insert into changelog (serial, at, project_id, name, version, kind, action, page_serial, \
            html_sha256, html_size, json_sha256, json_size, renderer, content_sha256, files_sha256, \
            files_count, listed, state_id) \
         select n, at, project_id, name, version, kind, action, page_serial, html_sha256, html_size, \
            json_sha256, json_size, renderer, content_sha256, files_sha256, files_count, listed, state_id \
         from changelog, generate_series(4, 1001) n where serial = 3; \
         update serials set value = 1001; update projects set last_serial = 1001; \
         update watermarks set purged = 1001, verified = 1001, announced = 1001",
    )?;
    Ok(())
}

#[tokio::test]
async fn a_complete_segment_is_the_same_rows_and_immutable() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    upload(&index, "seed", "1").await?;
    index.settle()?;
    fill_a_segment(&index)?;
    let answer = reqwest::get(format!("{}/changelog/segments/0", index.url())).await?;
    assert!(
        answer.headers()["cache-control"]
            .to_str()?
            .contains("immutable")
    );
    let segment: Value = serde_json::from_str(&answer.text().await?)?;
    let read = json(&index, "/changelog/?since=0&limit=1000").await?;
    assert_eq!(segment["changes"], read["changes"]);
    let next = reqwest::get(format!("{}/changelog/segments/1", index.url())).await?;
    assert_eq!(next.status().as_u16(), 404);
    Ok(())
}
