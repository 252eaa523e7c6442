//! Mirrors that follow an index through waves of changes, with the edge as their master: each kind of
//! mirror through each wave.
//!
//! Judged after each wave by what the mirror holds, and by `lockstep audit`. What it should hold is
//! told by what was sent to the index, not by what the index says.

mod bandersnatch;
mod devpi;
mod pep381;
mod waves;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use lockstep_core::digest::Sha256;
use lockstep_tests::index::client;
use serde_json::{Value, json};

use self::bandersnatch::Bandersnatch;
use self::devpi::DevpiMirror;
use self::pep381::Pep381;
use self::waves::{Wave, World};
use super::Home;
use super::table::Row;
use crate::audit::{audit, files_below};

/// What a mirror shows of a project.
#[derive(Debug, PartialEq)]
struct Shown {
    /// The serial its page has.
    serial: u64,
    /// Per file its name, SHA-256, `requires-python` and whether it is yanked; sorted.
    files: Vec<Value>,
}

impl Shown {
    /// Reads a page in the form of PEP 691.
    fn of(serial: u64, page: &Value) -> anyhow::Result<Self> {
        let text = |value: &Value| Some(value.as_str()?.to_owned()).filter(|text| !text.is_empty());
        let files = page["files"].as_array().context("no files")?;
        let files = files
            .iter()
            .map(|file| {
                let yanked = file.get("yanked").cloned().unwrap_or(Value::Bool(false));
                let requires_python = text(&file["requires-python"]);
                json!([
                    file["filename"],
                    file["hashes"]["sha256"],
                    requires_python,
                    yanked
                ])
            })
            .collect();
        Ok(Self::new(serial, files))
    }

    /// In whichever order these files come.
    fn new(serial: u64, mut files: Vec<Value>) -> Self {
        files.sort_by_key(|file| file[0].as_str().map(str::to_owned));
        Self { serial, files }
    }
}

/// A mirror under test.
trait Mirror {
    /// Makes the mirror look for what is new. The edge shows what is announced, which is `announced`.
    /// Exit codes prove nothing; an error here means that the mirror itself knows that it is not done.
    async fn sync(&self, world: &World, announced: u64) -> anyhow::Result<()>;

    /// What it shows of a project, by normalized name.
    async fn shows(&self, project: &str) -> anyhow::Result<Shown>;

    /// Every file that it has: name and the SHA-256 of its bytes.
    async fn files(&self, world: &World) -> anyhow::Result<BTreeMap<String, String>>;

    /// Whether its JSON says why a file is yanked, and not only that it is.
    fn keeps_reasons(&self) -> bool;

    /// Whether it goes on showing a project in quarantine: it goes by the list of projects, in which
    /// such a project is no more than one that never was.
    fn keeps_quarantined(&self) -> bool;

    /// Where `lockstep audit` finds it.
    fn target(&self) -> String;
}

/// Takes a mirror of an empty index through all waves.
async fn follows(mirror: &impl Mirror, world: &mut World) -> anyhow::Result<()> {
    for wave in Wave::ALL {
        agrees_after(wave, mirror, world)
            .await
            .with_context(|| format!("after {wave:?}"))?;
    }
    Ok(())
}

async fn agrees_after(wave: Wave, mirror: &impl Mirror, world: &mut World) -> anyhow::Result<()> {
    wave.happens(world).await?;
    let announced = world.announced().await?;
    mirror.sync(world, announced).await?;
    for project in world.projects() {
        let (shown, mut expected) = (mirror.shows(project).await?, world.expected(project)?);
        if !mirror.keeps_reasons() {
            expected
                .files
                .iter_mut()
                .for_each(|file| file[3] = json!(file[3] != false));
        }
        ensure!(shown == expected, "{project}: {shown:?}, not {expected:?}");
    }
    let (mut files, expected) = (mirror.files(world).await?, world.files());
    // A mirror may keep what was removed or hidden.
    let may_keep = world.may_keep();
    files.retain(|name, sha256| may_keep.get(name) != Some(sha256));
    ensure!(files == expected, "holds {files:?}, not {expected:?}");
    let said = audit(&world.edge.index.url(), &mirror.target(), &[])?;
    match world.hidden() {
        Some((project, serial)) if mirror.keeps_quarantined() => {
            said.found(&[(&format!("behind {project}: shows serial {serial} ("), "")]);
        }
        _ => said.is_exact(world.pages().count()),
    }
    Ok(())
}

/// The bytes' hash, as pages print it.
fn sha256(bytes: &[u8]) -> String {
    Sha256::of(bytes).to_string()
}

/// The files below a folder, by name, with the SHA-256 of their bytes.
fn stored(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let name = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
    let files = files_below(folder)?.into_iter();
    files
        .map(|path| Ok((name(&path).context("no name")?, sha256(&fs::read(&path)?))))
        .collect()
}

/// bandersnatch of an environment, with its row in the table and its settings for how to ask.
async fn bandersnatch(environment: &str, row: &'static str, settings: &str) -> anyhow::Result<()> {
    let Some(program) = client(environment, "bandersnatch")? else {
        return Ok(());
    };
    let row = Row::begin(row)?;
    let (mut world, home) = (World::new()?, Home::new()?);
    let version = home.version(&program)?;
    let mirror = Bandersnatch {
        program,
        home,
        settings,
    };
    follows(&mirror, &mut world).await?;
    row.passed(&version, &waves::did())
}

#[tokio::test]
async fn bandersnatch_8() -> anyhow::Result<()> {
    bandersnatch("bandersnatch8", "bandersnatch 8", "").await
}

#[tokio::test]
async fn bandersnatch_7() -> anyhow::Result<()> {
    bandersnatch("bandersnatch7", "bandersnatch 7", "api-method = simple").await
}

#[tokio::test]
async fn bandersnatch_7_by_xmlrpc() -> anyhow::Result<()> {
    bandersnatch(
        "bandersnatch7",
        "bandersnatch 7, XML-RPC",
        "api-method = xmlrpc",
    )
    .await
}

/// As it comes: XML-RPC is its default.
#[tokio::test]
async fn bandersnatch_6_by_xmlrpc() -> anyhow::Result<()> {
    bandersnatch("bandersnatch6", "bandersnatch 6, XML-RPC", "").await
}

#[tokio::test]
async fn pep381client() -> anyhow::Result<()> {
    let Some(python) = client("pep381", "python2.7")? else {
        return Ok(());
    };
    let row = Row::begin("pep381client")?;
    let (mut world, folder) = (World::new()?, tempfile::tempdir()?);
    let mirror = Pep381 { python, folder };
    follows(&mirror, &mut world).await?;
    // Its pin; it can't say.
    row.passed("1.5", &format!("{}; pages to the byte", waves::did()))
}

#[tokio::test]
async fn devpi_with_pip_behind_it() -> anyhow::Result<()> {
    let (Some(program), Some(pip)) = (client("devpi", "devpi-server")?, client("publish", "pip")?)
    else {
        return Ok(());
    };
    let row = Row::begin("devpi mirror")?;
    let (mut world, home) = (World::new()?, Home::new()?);
    let version = home.version(&program)?;
    let mirror = DevpiMirror::start(&program, pip, home, &world.edge).await?;
    follows(&mirror, &mut world).await?;
    row.passed(&version, &format!("{}; pip installs from it", waves::did()))
}
