//! Installers that write down hashes first: uv, pip-tools and poetry, through the edge. What they
//! write down are the hashes of what was uploaded, and what they install is that.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use lockstep_tests::edge::Edge;
use lockstep_tests::index::client;

use super::table::Row;
use super::{Home, Ran, Release, is_installed, run};

/// What a client has made.
struct Locked {
    /// Its list of pins.
    pins: PathBuf,
    /// Where it installs.
    site: PathBuf,
}

/// Version 1.0 is locked and installed, then 2.0 as an upgrade and 3.0 by number. `sync` takes the
/// edge, a folder of its own per requirement, and the requirement.
async fn releases_are_locked(
    package: &str,
    home: &Home,
    sync: impl Fn(&str, &Path, &str) -> anyhow::Result<Locked>,
) -> anyhow::Result<()> {
    let edge = Edge::start()?;
    for (version, requirement) in [
        ("1.0", package.to_owned()),
        ("2.0", package.to_owned()),
        ("3.0", format!("{package}==3.0")),
    ] {
        let folder = home.path().join(requirement.replace("==", "-"));
        fs::create_dir_all(&folder)?;
        let release = Release::publish(&edge, package, version, ">=3.9").await?;
        let locked = sync(&edge.pop.url(), &folder, &requirement)?;
        release.is_pinned(&fs::read_to_string(&locked.pins)?)?;
        is_installed(&release.wheel, &locked.site)?;
    }
    Ok(())
}

const DID: &str = "a release, its upgrade and a pinned one: locked by hash and installed, each as soon \
                   as announced";

fn succeed(ran: Ran) -> anyhow::Result<()> {
    ensure!(ran.success, "{}", ran.output);
    Ok(())
}

/// The folder of packages of the environment in `.venv`.
fn site_packages(folder: &Path) -> anyhow::Result<PathBuf> {
    let mut versions = fs::read_dir(folder.join(".venv/lib"))?;
    let version = versions.next().context("an empty environment")??;
    Ok(version.path().join("site-packages"))
}

#[tokio::test]
async fn uv_sync() -> anyhow::Result<()> {
    let (Some(uv), Some(python)) = (client("publish", "uv")?, client("publish", "python")?) else {
        return Ok(());
    };
    let row = Row::begin("uv sync")?;
    let home = Home::new()?;
    let sync = |edge: &str, folder: &Path, requirement: &str| {
        let project = format!(
            "[project]\nname = 'consumer'\nversion = '0'\nrequires-python = '>=3.9'\n\
             dependencies = ['{requirement}']\n[tool.uv]\npackage = false\n\
             [[tool.uv.index]]\nurl = '{edge}/simple/'\ndefault = true\n"
        );
        fs::write(folder.join("pyproject.toml"), project)?;
        for words in [&["lock", "--upgrade"][..], &["sync", "--frozen"]] {
            let mut command = home.command(&uv);
            command.current_dir(folder).args(words);
            succeed(run(command.arg("--python").arg(&python))?)?;
        }
        let site = site_packages(folder)?;
        let pins = folder.join("uv.lock");
        Ok(Locked { pins, site })
    };
    releases_are_locked("for_uv_sync", &home, sync).await?;
    row.passed(&home.version(&uv)?, DID)
}

#[tokio::test]
async fn pip_tools() -> anyhow::Result<()> {
    let (Some(compile), Some(pip)) = (
        client("pip-tools", "pip-compile")?,
        client("pip-tools", "pip")?,
    ) else {
        return Ok(());
    };
    let row = Row::begin("pip-tools")?;
    let home = Home::new()?;
    let sync = |edge: &str, folder: &Path, requirement: &str| {
        fs::write(folder.join("requirements.in"), requirement)?;
        let index = format!("{edge}/simple/");
        let mut command = home.command(&compile);
        command
            .current_dir(folder)
            .args(["--generate-hashes", "--upgrade"]);
        command.args(["--index-url", &index, "--trusted-host", "127.0.0.1"]);
        succeed(run(command.args([
            "--output-file",
            "pins.txt",
            "requirements.in",
        ]))?)?;
        // The list names the index, too.
        let mut command = home.command(&pip);
        command
            .current_dir(folder)
            .args(["install", "--upgrade", "--require-hashes"]);
        succeed(run(command.args([
            "--target",
            "site",
            "--requirement",
            "pins.txt",
        ]))?)?;
        let (pins, site) = (folder.join("pins.txt"), folder.join("site"));
        Ok(Locked { pins, site })
    };
    releases_are_locked("for-pip-tools", &home, sync).await?;
    row.passed(&home.version(&compile)?, DID)
}

#[tokio::test]
async fn poetry_install() -> anyhow::Result<()> {
    let Some(poetry) = client("poetry", "poetry")? else {
        return Ok(());
    };
    let row = Row::begin("poetry install")?;
    let home = Home::new()?;
    let sync = |edge: &str, folder: &Path, requirement: &str| {
        let project = folder.join("pyproject.toml");
        let pinned = requirement.contains("==");
        // An upgrade is of the project that is there; a number is added to an empty one.
        let words = match (project.exists(), pinned) {
            (true, _) => vec!["update"],
            (false, true) => vec!["add", requirement],
            (false, false) => vec!["install"],
        };
        if !project.exists() {
            let dependency = if pinned {
                String::new()
            } else {
                format!("'{requirement}'")
            };
            let text = format!(
                "[project]\nname = 'consumer'\nversion = '0'\nrequires-python = '>=3.9,<4'\n\
                 dependencies = [{dependency}]\n[tool.poetry]\npackage-mode = false\n\
                 [[tool.poetry.source]]\nname = 'ours'\nurl = '{edge}/simple/'\n"
            );
            fs::write(&project, text)?;
        }
        let mut command = home.command(&poetry);
        command
            .env("POETRY_VIRTUALENVS_IN_PROJECT", "true")
            .env("POETRY_KEYRING_ENABLED", "false");
        succeed(run(command
            .current_dir(folder)
            .arg("--no-interaction")
            .args(words))?)?;
        let site = site_packages(folder)?;
        let pins = folder.join("poetry.lock");
        Ok(Locked { pins, site })
    };
    releases_are_locked("for-poetry", &home, sync).await?;
    row.passed(&home.version(&poetry)?, DID)
}
