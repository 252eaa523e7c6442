//! Every method speaks at the announced serial; and `changelog` goes by when rows were announced.

use lockstep_tests::dist::{Opts, sdist, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::{Options, TestIndex};
use lockstep_tests::purge_sink::PurgeSink;
use serde_json::{Value, json};

use super::{python, value};
use crate::http::get;
use crate::read::upload;

/// Every method that tells of the index, once.
fn everything(index: &TestIndex) -> anyhow::Result<Vec<Value>> {
    let calls = json!([
        ["/pypi", "changelog_last_serial", []],
        ["/pypi", "changelog_since_serial", [0]],
        ["/pypi", "changelog_since_serial_with_hashes", [0]],
        ["/pypi", "changelog", [0, true]],
        ["/pypi", "list_packages", []],
        ["/pypi", "list_packages_with_serial", []],
        ["/pypi", "package_releases", ["known", true]],
        ["/pypi", "package_releases", ["novel", true]],
        ["/pypi", "release_urls", ["known", "1.0"]],
        ["/pypi", "release_urls", ["known", "2.0"]],
        ["/pypi", "release_data", ["known", "1.0"]],
        ["/pypi", "release_data", ["known", "2.0"]],
        ["/pypi", "page_hashes", ["known"]],
        ["/pypi", "page_hashes", ["novel"]],
        ["/pypi", "file_hashes", ["known"]],
        ["/pypi", "file_hashes", ["novel"]],
    ]);
    python(index, &calls)
}

/// The database's clock in whole seconds, once it has reached the next of them.
fn next_second(index: &TestIndex) -> anyhow::Result<i64> {
    let wait = "select pg_sleep_until(date_trunc('second', clock_timestamp()) + interval '1 s')";
    index.database().query(wait)?;
    let now = "select floor(extract(epoch from clock_timestamp()))::bigint";
    Ok(index.database().query(now)?.parse()?)
}

#[tokio::test]
async fn nothing_is_told_before_it_is_announced_and_nothing_is_missed_by_it() -> anyhow::Result<()>
{
    let sink = PurgeSink::start()?;
    let index = TestIndex::with(Options {
        settings: sink.settings("50ms"),
        ..Options::default()
    })?;
    let opts = Opts::default();
    upload(&index, "known", "1.0", &wheel("known", "1.0", &opts)).await?;
    index.settle()?;
    let before = everything(&index)?;
    assert_eq!(before[0], json!(["value", 3]));
    wait_for_note(&index, 3)?;
    // Seen at this second, as a mirror notes it that asked just now.
    let first_look = next_second(&index)?;
    assert_eq!(value(&index, "changelog", &json!([first_look]))?, json!([]));

    sink.say(503);
    upload(&index, "known", "1.0", &sdist("known", "1.0", &opts)).await?;
    upload(&index, "known", "2.0", &wheel("known", "2.0", &opts)).await?;
    upload(&index, "novel", "1.0", &wheel("novel", "1.0", &opts)).await?;
    let page = get(&index, "/simple/known/", &[]).await?;
    assert_eq!(page.header("x-pypi-last-serial"), "6", "it is committed");
    // A mirror looks again, a second later: it is told nothing of that, and will not ask for
    // anything older than this look.
    let second_look = next_second(&index)?;
    assert_eq!(everything(&index)?, before);
    assert_eq!(value(&index, "changelog", &json!([first_look]))?, json!([]));

    sink.say(200);
    index.settle()?;
    let rows = value(&index, "changelog_since_serial", &json!([3]))?;
    let late = value(&index, "changelog", &json!([second_look, true]))?;
    assert_eq!((late.as_array().map(Vec::len), &late), (Some(6), &rows));
    for row in late.as_array().into_iter().flatten() {
        let committed = row[2].as_i64().unwrap_or_default();
        assert!(committed <= second_look, "it was committed before: {row}");
    }
    wait_for_note(&index, 9)?;
    let third_look = next_second(&index)?;
    assert_eq!(value(&index, "changelog", &json!([third_look]))?, json!([]));
    // Who asks from before all of it is told all of it.
    let all = value(&index, "changelog", &json!([0]))?;
    assert_eq!(all.as_array().map(Vec::len), Some(9));

    let after = everything(&index)?;
    assert_eq!(after[0], json!(["value", 9]));
    assert_eq!(after[4], json!(["value", ["known", "novel"]]));
    assert_eq!(after[6], json!(["value", ["2.0", "1.0"]]));
    for (position, (old, new)) in before.iter().zip(&after).enumerate() {
        // The metadata of 1.0 are the only thing that did not change, but for what is newest.
        assert_ne!(old, new, "call {position}");
    }
    Ok(())
}

#[tokio::test]
async fn announcements_are_remembered_in_order_and_not_for_ever() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let opts = Opts::default();
    for version in ["1.0", "2.0", "3.0"] {
        upload(&index, "known", version, &wheel("known", version, &opts)).await?;
        index.settle()?;
    }
    // The note comes after the announcement; the next upload's is later than it in any case.
    let database = index.database();
    let noted = "select count(*) from announcements a join announcements b \
                 on a.serial < b.serial and a.at > b.at";
    assert_eq!(database.query(noted)?, "0");

    // The clock was far ahead and is put right: what is announced then is not taken for older.
    database.query("update announcements set at = at + interval '1 h'")?;
    upload(&index, "known", "4.0", &wheel("known", "4.0", &opts)).await?;
    index.settle()?;
    wait_for_note(&index, 9)?;
    assert_eq!(database.query(noted)?, "0");

    // So far back that nobody could be told what has happened since.
    database.query(
        "insert into announcements (serial, at) values (-50000, '2020-01-01'), (-49000, '2021-01-01')",
    )?;
    upload(&index, "known", "5.0", &wheel("known", "5.0", &opts)).await?;
    index.settle()?;
    wait_for_note(&index, 11)?;
    assert_eq!(
        database.query("select min(serial) from announcements")?,
        "-49000"
    );
    Ok(())
}

#[tokio::test]
async fn what_a_crash_left_without_a_note_is_told_again() -> anyhow::Result<()> {
    let mut index = TestIndex::with(Options {
        fault: Some("announce.advanced".to_owned()),
        ..Options::default()
    })?;
    let dist = wheel("known", "1.0", &Opts::default());
    // Perhaps it was answered, perhaps the end came first.
    let _ = Form::of("known", "1.0", &dist).send(&index).await;
    index.wait_for_death()?;
    index.options.fault = None;
    index.restart()?;
    index.settle()?;
    // Nobody knows any more when it could be seen first: better once too often than never.
    let look = next_second(&index)?;
    let told = value(&index, "changelog", &json!([look]))?;
    assert_eq!(told.as_array().map(Vec::len), Some(3), "{told}");

    upload(
        &index,
        "other",
        "1.0",
        &wheel("other", "1.0", &Opts::default()),
    )
    .await?;
    index.settle()?;
    wait_for_note(&index, 6)?;
    let look = next_second(&index)?;
    assert_eq!(value(&index, "changelog", &json!([look]))?, json!([]));
    Ok(())
}

fn wait_for_note(index: &TestIndex, serial: u64) -> anyhow::Result<()> {
    let deadline = std::time::Instant::now() + lockstep_tests::index::PATIENCE;
    let noted = format!("select count(*) from announcements where serial >= {serial}");
    while index.database().query(&noted)? == "0" {
        anyhow::ensure!(
            std::time::Instant::now() < deadline,
            "{serial} is not noted"
        );
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    Ok(())
}
