//! `/serversig/`, where mirrors of 2013 expect a signature: hash and serial of the page, as fresh as it.

use lockstep_core::digest::Sha256;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::index::TestIndex;

use super::headers::check_page;
use super::{sample, upload};
use crate::http::get;

const PATH: &str = "/serversig/sample-project/";

/// It names the page that is shown at the same moment.
async fn agrees(index: &TestIndex, serial: u64) -> anyhow::Result<()> {
    let page = get(index, "/simple/sample-project/", &[]).await?;
    let got = get(index, PATH, &[]).await?;
    let expected = format!("sha256:{} {serial}\n", Sha256::of(&page.body));
    assert_eq!((got.status, got.text()), (200, expected));
    assert_eq!(got.header("x-pypi-last-serial"), serial.to_string());
    Ok(())
}

#[tokio::test]
async fn it_goes_with_the_page() -> anyhow::Result<()> {
    let index = sample().await?;
    agrees(&index, 4).await?;
    let key = "project-sample-project";
    check_page(&index, PATH, "*/*", "text/plain", key, "accept-encoding").await?;
    let page = get(&index, "/simple/sample-project/", &[]).await?;
    let got = get(&index, PATH, &[]).await?;
    for header in ["surrogate-key", "surrogate-control", "cache-control"] {
        assert_eq!(got.header(header), page.header(header), "{header}");
    }

    let next = wheel("Sample_Project", "2.0", &Opts::default());
    upload(&index, "Sample_Project", "2.0", &next).await?;
    agrees(&index, 6).await?;
    let behind = get(&index, PATH, &[("x-min-serial", "7")]).await?;
    assert_eq!((behind.status, behind.header("retry-after")), (503, "1"));
    Ok(())
}

#[tokio::test]
async fn other_spellings_and_what_is_not_there() -> anyhow::Result<()> {
    let index = sample().await?;
    for spelling in [
        "/serversig/Sample_Project/",
        "/serversig/sample-project",
        "/serversig/Sample.Project",
    ] {
        let got = get(&index, spelling, &[]).await?;
        assert_eq!(
            (got.status, got.header("location")),
            (301, PATH),
            "{spelling}"
        );
    }
    let unknown = get(&index, "/serversig/nobody/", &[]).await?;
    let found = (unknown.status, unknown.header("surrogate-key"));
    assert_eq!(found, (404, "project-nobody"), "a first upload purges it");
    // pep381client takes a 200 for the index page's signature for one, and dies of it.
    for path in [
        "/serversig//",
        "/serversig/",
        "/serversig",
        "/serversig/no%20name/",
    ] {
        assert_eq!(get(&index, path, &[]).await?.status, 404, "{path}");
    }
    Ok(())
}
