//! Installers that take what fits: pip of today, pip of 2019 and uv, with their own caches on,
//! through the edge. A new release is there for them as soon as it is announced.

use std::path::Path;

use anyhow::{Context as _, ensure};
use lockstep_tests::edge::Edge;
use lockstep_tests::index::client;
use reqwest::Method;
use serde_json::json;

use super::table::Row;
use super::{Home, Ran, Release, is_installed, run};

/// Version 1.0 is installed, then 2.0 and 3.0 are published: one asked for as "newer", one by number.
/// Then comes one that is for another Python, and 3.0 is yanked. `install` takes the edge, a folder and a requirement.
async fn releases_arrive(
    package: &str,
    home: &Home,
    install: impl Fn(&str, &Path, &str) -> anyhow::Result<Ran>,
) -> anyhow::Result<()> {
    let edge = Edge::start()?;
    // An upgrade, warm at the edge and in the client; and a folder of its own.
    let (newest, pinned) = (home.path().join("newest"), home.path().join("pinned"));
    let mut releases = Vec::new();
    for (version, requirement, folder) in [
        ("1.0", package.to_owned(), &newest),
        ("2.0", package.to_owned(), &newest),
        ("3.0", format!("{package}==3.0"), &pinned),
    ] {
        let release = Release::publish(&edge, package, version, ">=3.7").await?;
        let ran = install(&edge.pop.url(), folder, &requirement)?;
        ensure!(ran.success, "{requirement}: {}", ran.output);
        is_installed(&release.wheel, folder).context(ran.output)?;
        releases.push(release);
    }
    Release::publish(&edge, package, "4.0", ">=4").await?;
    let ran = install(&edge.pop.url(), &newest, package)?;
    is_installed(&releases[2].wheel, &newest).context(ran.output)?;

    let yank = format!("{}/releases/3.0/yank", package.replace('_', "-"));
    let reason = json!({"reason": "broken"});
    edge.index.order(Method::POST, &yank, &reason).await?;
    edge.index.settle()?;
    for (requirement, release) in [(package.to_owned(), 1), (format!("{package}==3.0"), 2)] {
        let folder = home.path().join(format!("yanked-{release}"));
        let ran = install(&edge.pop.url(), &folder, &requirement)?;
        is_installed(&releases[release].wheel, &folder).context(ran.output)?;
    }
    Ok(())
}

const DID: &str = "install, upgrade and a pinned release, each as soon as announced; one for another \
                   Python is left out; a yanked one only by number";

/// The pip of an environment, with its row in the table.
async fn pip_of(environment: &str, client_row: &'static str, package: &str) -> anyhow::Result<()> {
    let Some(pip) = client(environment, "pip")? else {
        return Ok(());
    };
    let row = Row::begin(client_row)?;
    let home = Home::new()?;
    let install = |edge: &str, folder: &Path, requirement: &str| {
        let index = format!("{edge}/simple/");
        let mut command = home.command(&pip);
        // A trusted host, because pip keeps pages of others by plain HTTP out of its cache.
        command.args(["install", "--upgrade", "--trusted-host", "127.0.0.1"]);
        command.args(["--index-url", &index, "--disable-pip-version-check"]);
        run(command.arg("--target").arg(folder).arg(requirement))
    };
    releases_arrive(package, &home, install).await?;
    row.passed(&home.version(&pip)?, DID)
}

#[tokio::test]
async fn pip() -> anyhow::Result<()> {
    pip_of("publish", "pip", "for_pip").await
}

#[tokio::test]
async fn pip_19() -> anyhow::Result<()> {
    pip_of("pip19", "pip 19", "for_old_pip").await
}

#[tokio::test]
async fn uv_pip() -> anyhow::Result<()> {
    let (Some(uv), Some(python)) = (client("publish", "uv")?, client("publish", "python")?) else {
        return Ok(());
    };
    let row = Row::begin("uv pip")?;
    let home = Home::new()?;
    let install = |edge: &str, folder: &Path, requirement: &str| {
        let index = format!("{edge}/simple/");
        let mut command = home.command(&uv);
        command.args(["pip", "install", "--no-config", "--upgrade"]);
        command.args(["--default-index", &index, "--python"]);
        command.arg(&python).arg("--target").arg(folder);
        run(command.arg(requirement))
    };
    releases_arrive("for_uv", &home, install).await?;
    row.passed(&home.version(&uv)?, DID)
}
