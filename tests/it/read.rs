//! What the index answers: headers, forms, refusals, and that all its voices say the same.

mod changelog;
mod feeds;
mod files;
mod headers;
mod json;
mod negotiation;
mod pages;
mod serversig;
mod spelling;
mod waiting;
mod xmlrpc;

use lockstep_tests::dist::{Dist, Opts, sdist, wheel};
use lockstep_tests::form::{Answer, Form};
use lockstep_tests::index::TestIndex;

pub(crate) use pages::anchors;

pub(crate) const HTML: &str = "text/html";
pub(crate) const HTML_V1: &str = "application/vnd.pypi.simple.v1+html";
pub(crate) const JSON_V1: &str = "application/vnd.pypi.simple.v1+json";

/// Uploads a distribution, which must be taken.
pub(crate) async fn upload(
    index: &TestIndex,
    name: &str,
    version: &str,
    dist: &Dist,
) -> anyhow::Result<Answer> {
    let answer = Form::of(name, version, dist).send(index).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    Ok(answer)
}

/// An index with one project of two files, announced; its page is long enough to be compressed.
pub(crate) async fn sample() -> anyhow::Result<TestIndex> {
    let index = TestIndex::start()?;
    let opts = Opts {
        requires_python: Some(">=3.8,<4".to_owned()),
        ..Opts::default()
    };
    upload(
        &index,
        "Sample_Project",
        "1.0",
        &wheel("Sample_Project", "1.0", &opts),
    )
    .await?;
    upload(
        &index,
        "Sample_Project",
        "1.0",
        &sdist("Sample_Project", "1.0", &opts),
    )
    .await?;
    index.settle()?;
    Ok(index)
}
