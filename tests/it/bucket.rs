//! Blobs in an S3-compatible bucket instead of a local folder: the same promises.

use lockstep_tests::checks::{self, Expected};
use lockstep_tests::dist::{Dist, Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::{Options, TestIndex};
use lockstep_tests::s3::FakeS3;

fn expected(project: &str, dist: &Dist) -> Expected {
    let file = (dist.filename.clone(), dist.sha256.clone());
    [(project.to_owned(), [file].into())].into()
}

fn index(s3: &FakeS3) -> anyhow::Result<TestIndex> {
    let options = Options {
        blobs_url: Some("s3://bucket/some/prefix".to_owned()),
        environment: s3.environment(),
        ..Options::default()
    };
    tokio::task::block_in_place(|| TestIndex::with(options))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_serves_what_was_uploaded_whole_and_in_parts() -> anyhow::Result<()> {
    let s3 = FakeS3::start().await?;
    let index = index(&s3)?;
    // Larger than one part of a multipart upload.
    let dist = wheel(
        "in-bucket",
        "1.0",
        &Opts {
            payload: 20_000_000,
            ..Opts::default()
        },
    );
    let answer = Form::of("in-bucket", "1.0", &dist).send(&index).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    let mut keys = s3.keys();
    keys.retain(|key| !key.contains("high-water"));
    assert!(
        keys.iter().all(|key| key.starts_with("some/prefix/")),
        "{keys:?}"
    );
    assert_eq!(keys.len(), 2, "the file and its metadata: {keys:?}");
    checks::whole(&index, &expected("in-bucket", &dist)).await?;

    let path = index
        .database()
        .query("select encode(blake2b_256, 'hex') from files")?;
    let url = format!(
        "{}/packages/{}/{}/{}/{}",
        index.url(),
        &path[..2],
        &path[2..4],
        &path[4..],
        dist.filename
    );
    let range = reqwest::Client::new()
        .get(url)
        .header("range", "bytes=100-199")
        .send()
        .await?;
    assert_eq!(range.status().as_u16(), 206);
    assert_eq!(range.bytes().await?, dist.bytes[100..200]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_in_trouble_refuses_and_nothing_is_half_there() -> anyhow::Result<()> {
    let s3 = FakeS3::start().await?;
    let index = index(&s3)?;
    let dist = wheel("in-bucket", "1.0", &Opts::default());
    // Longer than the client's own patience with it.
    s3.fail_writes(1000);
    let form = Form::of("in-bucket", "1.0", &dist);
    let answer = form.send(&index).await?;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(
        index.database().query("select count(*) from changelog")?,
        "0"
    );
    assert_eq!(s3.keys(), Vec::<String>::new());
    s3.fail_writes(0);
    assert_eq!(form.send(&index).await?.status, 200);
    checks::whole(&index, &expected("in-bucket", &dist)).await
}
