//! Installers: pip and uv, with their own caches on, through the edge. A new release is there for
//! them as soon as it is announced.

use std::path::Path;

use anyhow::ensure;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::edge::Edge;
use lockstep_tests::index::client;

use super::{Home, Ran, run};

/// What Python imports from a folder.
fn imported(home: &Home, python: &Path, folder: &Path, package: &str) -> anyhow::Result<String> {
    let code = format!("import {package}; print({package}.__version__)");
    let mut command = home.command(python);
    let ran = run(command.env("PYTHONPATH", folder).args(["-c", &code]))?;
    Ok(ran.output.trim().to_owned())
}

/// Version 1.0 is installed, then 2.0 and 3.0 are uploaded: one asked for as "newer", one by number.
/// `install` takes the edge, a folder and a requirement.
async fn releases_arrive(
    package: &str,
    home: &Home,
    python: &Path,
    install: impl Fn(&str, &Path, &str) -> anyhow::Result<Ran>,
) -> anyhow::Result<()> {
    let edge = Edge::start()?;
    let requires = [("1.0", package.to_owned()), ("2.0", package.to_owned())];
    let pinned = [("3.0", format!("{package}==3.0"))];
    for (version, requirement) in requires.iter().chain(&pinned) {
        let requires_python = Some(">=3.8".to_owned());
        let dist = wheel(
            package,
            version,
            &Opts {
                requires_python,
                ..Opts::default()
            },
        );
        edge.upload(package, version, &dist).await?;
        edge.index.settle()?;
        // The same folder for the first two: an upgrade. Warm at the edge and in the client.
        let folder = home.path().join(if *version == "3.0" {
            "pinned"
        } else {
            "newest"
        });
        let ran = install(&edge.pop.url(), &folder, requirement)?;
        let found = imported(home, python, &folder, package)?;
        ensure!(
            found == *version,
            "{requirement} gave {found}, not {version}:\n{}",
            ran.output
        );
    }
    Ok(())
}

#[tokio::test]
async fn pip() -> anyhow::Result<()> {
    let Some(python) = client("publish", "python")? else {
        return Ok(());
    };
    let home = Home::new()?;
    let install = |edge: &str, folder: &Path, requirement: &str| {
        let index = format!("{edge}/simple/");
        let mut command = home.command(&python);
        // A trusted host, because pip keeps pages of others by plain HTTP out of its cache.
        command.args([
            "-m",
            "pip",
            "install",
            "--upgrade",
            "--trusted-host",
            "127.0.0.1",
        ]);
        command.args(["--index-url", &index, "--disable-pip-version-check"]);
        run(command.arg("--target").arg(folder).arg(requirement))
    };
    releases_arrive("for_pip", &home, &python, install).await?;
    let version = run(home.command(&python).args(["-m", "pip", "--version"]))?.output;
    let version = version.split(" from ").next().unwrap_or_default();
    eprintln!("{version}: install, upgrade and a pinned release through the edge");
    Ok(())
}

#[tokio::test]
async fn uv_pip() -> anyhow::Result<()> {
    let (Some(uv), Some(python)) = (client("publish", "uv")?, client("publish", "python")?) else {
        return Ok(());
    };
    let home = Home::new()?;
    let install = |edge: &str, folder: &Path, requirement: &str| {
        let index = format!("{edge}/simple/");
        let mut command = home.command(&uv);
        command.args([
            "pip",
            "install",
            "--no-config",
            "--default-index",
            &index,
            "--upgrade",
        ]);
        command
            .arg("--python")
            .arg(&python)
            .arg("--target")
            .arg(folder);
        run(command.arg(requirement))
    };
    releases_arrive("for_uv", &home, &python, install).await?;
    let version = home.version(&uv)?;
    eprintln!("{version} pip: install, upgrade and a pinned release through the edge");
    Ok(())
}
