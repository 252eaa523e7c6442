//! Uploads: what is taken, and what the index says afterwards.

use lockstep_core::digest::Sha256;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::TestIndex;

#[tokio::test]
async fn the_page_the_changelog_and_the_answer_tell_one_hash() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let dist = wheel("sample.Project", "1.0", &Opts::default());
    let answer = Form::of("sample.Project", "1.0", &dist)
        .send(&index)
        .await?;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, ""),
        "{answer:?}"
    );
    assert_eq!(answer.serial, Some(3), "create, new release, add file");

    let page = reqwest::get(format!("{}/simple/sample-project/", index.url())).await?;
    let hash = Sha256::of(&page.bytes().await?).to_string();
    assert_eq!(answer.page_sha256, Some(hash.clone()));
    index.settle()?;
    let row = reqwest::get(format!("{}/changelog/3", index.url()))
        .await?
        .text()
        .await?;
    let row: serde_json::Value = serde_json::from_str(&row)?;
    assert_eq!(row["page"]["html"]["sha256"], hash);
    index.fsck()
}
