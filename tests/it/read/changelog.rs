//! `/changelog/`: rows by serial, their manifests, and what is refused.

use lockstep_core::digest::Sha256;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::index::TestIndex;
use serde_json::Value;

use super::{sample, upload};
use crate::http::{Got, get};

/// An index with five projects of two releases each: 25 rows.
async fn busy() -> anyhow::Result<TestIndex> {
    let index = TestIndex::start()?;
    for version in ["1.0", "2.0"] {
        for name in ["alpha", "beta", "gamma", "delta", "epsilon"] {
            upload(
                &index,
                name,
                version,
                &wheel(name, version, &Opts::default()),
            )
            .await?;
        }
    }
    index.settle()?;
    Ok(index)
}

fn rows(got: &Got) -> anyhow::Result<Vec<Value>> {
    Ok(got.json()?["changes"]
        .as_array()
        .cloned()
        .unwrap_or_default())
}

#[tokio::test]
async fn pages_of_rows_are_the_same_as_one_big_read() -> anyhow::Result<()> {
    let index = busy().await?;
    let whole = get(&index, "/changelog/?since=0&limit=10000", &[]).await?;
    assert_eq!(whole.header("cache-control"), "no-store");
    assert_eq!(whole.header("access-control-allow-origin"), "*");
    let all = rows(&whole)?;
    let serials: Vec<_> = all
        .iter()
        .filter_map(|row| row["serial"].as_u64())
        .collect();
    assert_eq!(serials, (1..=25).collect::<Vec<_>>(), "dense and ascending");
    let end = whole.json()?;
    assert_eq!((&end["next"], &end["more"]), (&25.into(), &false.into()));
    for limit in [1, 2, 7, 24, 25, 26] {
        let (mut since, mut read) = (0, Vec::new());
        loop {
            let got = get(
                &index,
                &format!("/changelog/?since={since}&limit={limit}"),
                &[],
            )
            .await?;
            let json = got.json()?;
            let page = rows(&got)?;
            assert!(page.len() <= limit);
            since = page
                .last()
                .and_then(|row| row["serial"].as_u64())
                .unwrap_or(since);
            assert_eq!(json["next"], since);
            read.extend(page);
            if json["more"] == false {
                break;
            }
        }
        assert!(read == all, "limit {limit}");
    }
    // Each row alone is the row in the list.
    for row in &all {
        let alone = get(&index, &format!("/changelog/{}", row["serial"]), &[]).await?;
        assert_eq!(&alone.json()?, row);
    }
    let end = get(&index, "/changelog/?since=25", &[]).await?.json()?;
    assert_eq!(
        (&end["changes"], &end["next"]),
        (&Value::Array(Vec::new()), &25.into())
    );
    Ok(())
}

#[tokio::test]
async fn a_project_can_be_followed_alone() -> anyhow::Result<()> {
    let index = busy().await?;
    for spelling in ["beta", "BETA"] {
        let path = format!("/changelog/?project={spelling}");
        let mine = rows(&get(&index, &path, &[]).await?)?;
        let actions: Vec<_> = mine
            .iter()
            .filter_map(|row| row["action"].as_str())
            .collect();
        assert_eq!(
            actions,
            [
                "create",
                "new release",
                "add py3 file beta-1.0-py3-none-any.whl",
                "new release",
                "add py3 file beta-2.0-py3-none-any.whl",
            ]
        );
    }
    assert!(rows(&get(&index, "/changelog/?project=unknown", &[]).await?)?.is_empty());
    Ok(())
}

#[tokio::test]
async fn manifests_hash_to_what_their_row_says() -> anyhow::Result<()> {
    let index = busy().await?;
    for row in rows(&get(&index, "/changelog/", &[]).await?)? {
        for part in ["content", "files"] {
            let url = row[part]["url"].as_str().unwrap_or_default();
            assert_eq!(url, format!("/changelog/{}/{part}", row["serial"]));
            let got = get(&index, url, &[]).await?;
            assert_eq!(
                row[part]["sha256"],
                Sha256::of(&got.body).to_string(),
                "{url}"
            );
            assert_eq!(row["files"]["count"], got.text().lines().count(), "{url}");
        }
    }
    // The last row of beta's second upload; the formats, byte for byte.
    let row = rows(&get(&index, "/changelog/?project=beta", &[]).await?)?
        .pop()
        .unwrap_or_default();
    let hash = |version| wheel("beta", version, &Opts::default()).sha256;
    let (one, two) = (hash("1.0"), hash("2.0"));
    let names = ["beta-1.0-py3-none-any.whl", "beta-2.0-py3-none-any.whl"];
    let url = |part: &str| row[part]["url"].as_str().unwrap_or_default().to_owned();
    let files = get(&index, &url("files"), &[]).await?;
    assert_eq!(
        files.text(),
        format!("{one}  {}\n{two}  {}\n", names[0], names[1])
    );
    assert!(files.header("content-type").starts_with("text/plain"));
    let content = get(&index, &url("content"), &[]).await?;
    let line = |name, hash| format!("[\"{name}\",\"{hash}\",null,false]\n");
    assert_eq!(
        content.text(),
        line(names[0], one) + &line(names[1], two.clone())
    );
    assert_eq!(row["files"]["added"], serde_json::json!({ names[1]: two }));
    assert_eq!(row["files"]["removed"], serde_json::json!({}));
    Ok(())
}

#[tokio::test]
async fn wrong_questions_are_refused_and_not_corrected() -> anyhow::Result<()> {
    let index = sample().await?;
    for query in [
        "since=-1",
        "since=one",
        "since=",
        "since=1.5",
        "since=18446744073709551615",
        "limit=0",
        "limit=10001",
        "limit=-1",
        "limit=all",
        "wait=61",
        "wait=-1",
        "wait=soon",
        "horizon=purged",
        "horizon=",
        "project=-",
        "project=",
        "sinse=1",
        "since=1&order=desc",
        "since=1&since=2",
    ] {
        let got = get(&index, &format!("/changelog/?{query}"), &[]).await?;
        assert_eq!(got.status, 400, "{query}: {}", got.text());
        assert_eq!(
            got.header("content-type"),
            "application/problem+json",
            "{query}"
        );
        assert_eq!(got.header("access-control-allow-origin"), "*", "{query}");
        let problem = got.json()?;
        let named = query.split('=').next().unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert_eq!(problem["status"], 400);
        assert!(
            detail.contains(named) || query.contains("order"),
            "{query}: {detail}"
        );
    }
    for limit in [1, 10_000] {
        assert_eq!(
            get(&index, &format!("/changelog/?limit={limit}"), &[])
                .await?
                .status,
            200
        );
    }
    for (path, status, retry) in [
        ("/changelog/5", 404, "1"),
        ("/changelog/5/files", 404, "1"),
        ("/changelog/5/content", 404, "1"),
        ("/changelog/9223372036854775807", 404, "1"),
        ("/changelog/0", 404, ""),
        ("/changelog/0/content", 404, ""),
        ("/changelog/-1", 400, ""),
        ("/changelog/+1", 400, ""),
        ("/changelog/one", 400, ""),
        ("/changelog/one/files", 400, ""),
        ("/changelog/99999999999999999999", 400, ""),
    ] {
        let got = get(&index, path, &[]).await?;
        assert_eq!(
            (got.status, got.header("retry-after")),
            (status, retry),
            "{path}"
        );
        assert_eq!(
            got.header("content-type"),
            "application/problem+json",
            "{path}"
        );
        assert_eq!(got.header("cache-control"), "no-store", "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn state_is_the_meta_of_every_answer() -> anyhow::Result<()> {
    let index = sample().await?;
    let state = get(&index, "/changelog/state", &[]).await?;
    assert_eq!(
        (state.status, state.header("cache-control")),
        (200, "no-store")
    );
    let meta = &state.json()?["meta"];
    assert_eq!(
        *meta,
        get(&index, "/changelog/", &[]).await?.json()?["meta"]
    );
    let id = index
        .database()
        .query("select index_id from index_identity")?;
    assert_eq!(
        (&meta["api-version"], &meta["index-id"]),
        (&"1.0".into(), &id.into())
    );
    for mark in [
        "committed-serial",
        "purged-serial",
        "verified-serial",
        "announced-serial",
    ] {
        assert_eq!(meta[mark], 4, "{mark}");
    }
    Ok(())
}
