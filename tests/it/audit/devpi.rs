//! The real devpi: a mirror index over HTTP that asks for a page when somebody asks for it, and
//! keeps it for as long as it is told to.

use anyhow::ensure;
use lockstep_tests::devpi::Devpi;
use lockstep_tests::index::{TestIndex, client};

use super::{audit, upload};

#[tokio::test]
async fn a_devpi_mirror_index_is_behind_until_it_is_refreshed() -> anyhow::Result<()> {
    let Some(program) = client("devpi", "devpi-server")? else {
        return Ok(());
    };
    let index = TestIndex::start()?;
    upload(&index, "six", "1.0").await?;
    upload(&index, "attrs", "1.0").await?;
    index.settle()?;
    let folder = tempfile::tempdir()?;
    let devpi = Devpi::start(&program, folder.path()).await?;
    let simple = devpi.mirror(&format!("{}/simple/", index.url())).await?;
    audit(&index.url(), &simple, &[])?.is_exact(2);

    let newest = upload(&index, "six", "1.1").await?;
    index.settle()?;
    let words = format!("announced {newest}, {} serials behind since", newest - 3);
    audit(&index.url(), &simple, &[])?.found(&[("behind six: shows serial 3 (20", &words)]);

    let refresh = format!("{simple}six/refresh");
    let answer = reqwest::Client::new().post(refresh).send().await?;
    ensure!(answer.status().is_success(), "no refresh: {answer:?}");
    audit(&index.url(), &simple, &["--kind", "devpi"])?.is_exact(2);
    Ok(())
}
