//! How many new files a token may upload, whichever process takes them.

use std::io::Write as _;
use std::time::Duration;

use lockstep_tests::index::{Options, TestIndex};

use super::{form, half_an_upload, head_of_upload, index_with, upload, wait_until};
use crate::http::{Got, connect};
use crate::refusals::state::State;

/// Uploads left, and whether the time until all are back is one that can be.
fn left(got: &Got) -> anyhow::Result<u32> {
    assert_eq!(got.header("ratelimit-policy"), "\"upload\";q=2;w=3600");
    let limit = got.header("ratelimit");
    let parts = limit
        .strip_prefix("\"upload\";r=")
        .and_then(|rest| rest.split_once(";t="));
    let Some((left, time)) = parts else {
        anyhow::bail!("RateLimit: {limit}")
    };
    let (left, time): (u32, u32) = (left.parse()?, time.parse()?);
    // Of two an hour, one comes back in half an hour.
    let most = (2 - left) * 1800;
    assert!(time <= most && time + 300 > most, "{limit}");
    Ok(left)
}

fn full_in_minutes(index: &TestIndex) -> anyhow::Result<String> {
    let full_in = "coalesce(max(extract(epoch from full_at - clock_timestamp()) / 60), 0)";
    index.database().query(&format!(
        "select round(greatest(0, {full_in})) from upload_budgets"
    ))
}

#[tokio::test]
async fn a_token_has_a_budget_of_new_files() -> anyhow::Result<()> {
    let index = index_with("[upload]\nrate = '2/h'\n")?;
    let alpha = form("alpha", 10);
    let refused = form("beta", 10).without("filetype");
    // What is refused, or there already, costs nothing.
    for (what, form, status, rest) in [
        ("refused", &refused, 400, 2),
        ("new", &alpha, 200, 1),
        ("the same again", &alpha, 200, 1),
        ("refused", &refused, 400, 1),
    ] {
        let got = upload(&index, form).await?;
        assert_eq!(got.status, status, "{what}: {}", got.text());
        assert_eq!(left(&got)?, rest, "{what}");
    }
    // A client that goes away in the middle has used nothing up.
    assert_eq!(full_in_minutes(&index)?, "30");
    let cut = half_an_upload(&index, &form("cut", 300_000).body())?;
    assert_eq!(full_in_minutes(&index)?, "60");
    drop(cut);
    wait_until("it is given back", || Ok(full_in_minutes(&index)? == "30"))?;

    assert_eq!(left(&upload(&index, &form("gamma", 10)).await?)?, 0);
    index.settle()?;
    let before = State::of(&index)?;
    let mut sibling = index.sibling()?;
    for process in [&index, &sibling] {
        let got = upload(process, &form("delta", 10)).await?;
        assert_eq!((got.status, left(&got)?), (429, 0));
        let wait: u32 = got.header("retry-after").parse()?;
        assert!((1500..=1800).contains(&wait), "{wait}");
        assert!(
            got.text()
                .starts_with("Too many uploads with this token: 2/h. Try again in"),
            "{}",
            got.text()
        );
        assert_eq!(State::of(&index)?, before);
    }
    // Others have their own.
    let other = index.lockstep(&["token", "create", "--name", "other", "--scope", "upload"])?;
    let mut by_other = form("delta", 10);
    other.trim().clone_into(&mut by_other.token);
    assert_eq!(left(&upload(&sibling, &by_other).await?)?, 1);
    // Half an hour later there is one more, and only one, for whoever asks first.
    index
        .database()
        .query("update upload_budgets set full_at = full_at - interval '30 min'")?;
    let (one, two) = (form("epsilon", 10), form("zeta", 10));
    let (one, two) = tokio::try_join!(upload(&index, &one), upload(&sibling, &two))?;
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429]);
    sibling.stop()?;
    index.settle()?;
    index.fsck()
}

#[tokio::test]
async fn without_the_setting_nothing_is_counted() -> anyhow::Result<()> {
    let index = index_with("")?;
    let got = upload(&index, &form("alpha", 10)).await?;
    assert_eq!(
        (
            got.status,
            got.header("ratelimit"),
            got.header("ratelimit-policy")
        ),
        (200, "", "")
    );
    assert_eq!(
        index
            .database()
            .query("select count(*) from upload_budgets")?,
        "0"
    );
    Ok(())
}

/// What a client has begun takes its turn until it is done, whoever is still listening.
#[tokio::test]
async fn who_hangs_up_frees_no_turn_while_the_archive_is_read() -> anyhow::Result<()> {
    let index = TestIndex::with(Options {
        settings: "[upload]\nmax_concurrent = 1\nmax_wait = '100ms'\n".to_owned(),
        fault: Some("upload.reading:slow".to_owned()),
        ..Options::default()
    })?;
    let gone = form("alpha", 10);
    let size = gone
        .file
        .as_ref()
        .map_or(0, |(_, bytes)| bytes.len() as u64);
    let body = gone.body();
    let mut stream = connect(&index)?;
    stream.write_all(head_of_upload(body.len()).as_bytes())?;
    stream.write_all(&body)?;
    let spool = index.blobs().join(".spool");
    wait_until("all of it has come", || {
        let entry = std::fs::read_dir(&spool)?.next().transpose()?;
        let entry = entry.and_then(|entry| entry.metadata().ok());
        Ok(entry.is_some_and(|entry| entry.len() == size))
    })?;
    drop(stream);
    // Time for the server to notice.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let other = upload(&index, &form("beta", 10)).await?;
    assert_eq!(other.status, 503, "{}", other.text());
    assert!(!other.header("retry-after").is_empty(), "no Retry-After");
    wait_until("it is done", || {
        Ok(std::fs::read_dir(&spool)?.next().is_none())
    })?;
    assert_eq!(upload(&index, &form("beta", 10)).await?.status, 200);
    index.settle()?;
    index.fsck()
}
