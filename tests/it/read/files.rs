//! `/packages/…`: files by digest, whole and in ranges, with their `.metadata`.

use lockstep_core::digest::Sha256;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::index::TestIndex;
use reqwest::Method;

use super::{JSON_V1, sample, upload};
use crate::http::{ask, get};

/// The project's files as its JSON page lists them.
async fn listed(index: &TestIndex, project: &str) -> anyhow::Result<Vec<serde_json::Value>> {
    let page = get(
        index,
        &format!("/simple/{project}/"),
        &[("accept", JSON_V1)],
    )
    .await?;
    Ok(page.json()?["files"]
        .as_array()
        .cloned()
        .unwrap_or_default())
}

/// Where a relative link on a project's page points.
fn path_of(file: &serde_json::Value) -> String {
    file["url"]
        .as_str()
        .unwrap_or_default()
        .replace("../../", "/")
}

#[tokio::test]
async fn listed_files_and_their_metadata_have_the_listed_hashes() -> anyhow::Result<()> {
    let index = sample().await?;
    let files = listed(&index, "sample-project").await?;
    assert_eq!(files.len(), 2);
    for file in &files {
        let path = path_of(file);
        let got = get(&index, &path, &[("accept-encoding", "gzip")]).await?;
        assert_eq!(
            (got.status, got.header("content-encoding")),
            (200, ""),
            "{path}"
        );
        assert_eq!(
            Sha256::of(&got.body).to_string(),
            file["hashes"]["sha256"],
            "{path}"
        );
        assert_eq!(file["size"], got.body.len());
        assert_eq!(
            got.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(got.header("access-control-allow-origin"), "*");
        let metadata = get(&index, &format!("{path}.metadata"), &[]).await?;
        if let Some(hash) = file["core-metadata"]["sha256"].as_str() {
            assert_eq!(
                Sha256::of(&metadata.body).to_string(),
                hash,
                "{path}.metadata"
            );
            assert!(
                metadata
                    .text()
                    .starts_with("Metadata-Version: 2.1\nName: Sample_Project\n")
            );
        } else {
            assert_eq!(
                (metadata.status, &file["core-metadata"]),
                (404, &false.into()),
                "{path}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn ranges_are_what_installers_read_wheels_by() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let dist = wheel(
        "sample",
        "1.0",
        &Opts {
            payload: 5000,
            ..Opts::default()
        },
    );
    upload(&index, "sample", "1.0", &dist).await?;
    let (path, bytes) = (path_of(&listed(&index, "sample").await?[0]), &dist.bytes);
    let size = bytes.len();
    for (range, first, end) in [
        ("bytes=0-99".to_owned(), 0, 100),
        ("bytes=100-100".to_owned(), 100, 101),
        ("bytes=100-".to_owned(), 100, size),
        ("bytes=-100".to_owned(), size - 100, size),
        (format!("bytes=-{}", size * 2), 0, size),
        (format!("bytes=10-{}", size * 2), 10, size),
        (format!("bytes={}-", size - 1), size - 1, size),
    ] {
        let got = get(&index, &path, &[("range", &range)]).await?;
        assert_eq!(got.status, 206, "{range}: {}", got.text());
        assert!(got.body == bytes[first..end], "{range}: other bytes");
        assert_eq!(
            got.header("content-range"),
            format!("bytes {first}-{}/{size}", end - 1)
        );
        assert_eq!(got.header("content-length"), (end - first).to_string());
        assert_eq!(got.header("accept-ranges"), "bytes");
    }
    for range in [
        format!("bytes={size}-"),
        format!("bytes={}-{}", size * 2, size * 3),
        "bytes=-0".to_owned(),
    ] {
        let got = get(&index, &path, &[("range", &range)]).await?;
        assert_eq!(
            (got.status, got.header("content-range")),
            (416, format!("bytes */{size}").as_str()),
            "{range}"
        );
    }
    // What is no single range is ignored, as RFC 9110 allows.
    for range in [
        "bytes=1-2,4-5",
        "bytes=9-1",
        "lines=1-2",
        "bytes=a-b",
        "bytes=",
        "bytes",
    ] {
        let got = get(&index, &path, &[("range", range)]).await?;
        assert_eq!((got.status, got.body.len()), (200, size), "{range}");
    }
    let whole = get(&index, &path, &[]).await?;
    let tag = whole.header("etag");
    let headers = [("range", "bytes=0-9"), ("if-range", tag)];
    assert_eq!(get(&index, &path, &headers).await?.status, 206);
    let headers = [("range", "bytes=0-9"), ("if-range", "\"other\"")];
    assert_eq!(get(&index, &path, &headers).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn heads_tags_and_unknown_files() -> anyhow::Result<()> {
    let index = sample().await?;
    let path = path_of(&listed(&index, "sample-project").await?[0]);
    let whole = get(&index, &path, &[]).await?;
    let head = ask(&index, Method::HEAD, &path, &[]).await?;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in [
        "content-length",
        "etag",
        "accept-ranges",
        "cache-control",
        "content-type",
    ] {
        assert_eq!(head.header(name), whole.header(name), "{name}");
        assert_ne!(head.header(name), "", "{name}");
    }
    let tag = whole.header("etag");
    for sent in [
        tag.to_owned(),
        format!("\"other\", {tag}"),
        format!("W/{tag}"),
    ] {
        let got = get(&index, &path, &[("if-none-match", &sent)]).await?;
        assert_eq!((got.status, got.header("etag")), (304, tag), "{sent}");
    }
    let (folder, filename) = path.rsplit_once('/').unwrap_or_default();
    let (other_case, other_digest) = (folder.to_uppercase(), folder.replace(&folder[10..11], "x"));
    for unknown in [
        format!("{folder}/other-1.0.tar.gz"),
        format!("{folder}/{filename}.metadata.metadata"),
        format!("{folder}/.metadata"),
        format!("{folder}/..%2f{filename}"),
        format!("{folder}/%2e%2e"),
        format!("{other_digest}/{filename}"),
        format!(
            "{}/{filename}",
            other_case.replace("/PACKAGES", "/packages")
        ),
        format!("/packages/00/00/{}/{filename}", "0".repeat(60)),
        format!("/packages/aa/bb/short/{filename}"),
        "/packages/.spool/x/y/z".to_owned(),
        "/packages/".to_owned(),
    ] {
        let got = get(&index, &unknown, &[]).await?;
        assert_eq!(got.status, 404, "{unknown}");
    }
    Ok(())
}
