//! pep381client 1.5 on Python 2.7, the mirror of 2013, unmodified: copies our HTML pages.
//!
//! It checks no hash and no serial, so it keeps for good whatever page it is shown. What it keeps is a
//! copy, byte for byte, which the changelog's `page.html.sha256` can judge. It goes by the changelog, so
//! it hears of quarantine, and removes what its index removed.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use lockstep_tests::pep381;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::waves::World;
use super::{Mirror, Shown, sha256, stored};
use crate::read::anchors;

pub(super) struct Pep381 {
    pub(super) python: PathBuf,
    pub(super) folder: TempDir,
}

impl Pep381 {
    fn web(&self) -> PathBuf {
        self.folder.path().join("mirror/web")
    }

    pub(super) fn page(&self, project: &str) -> PathBuf {
        self.web().join("simple").join(project).join("index.html")
    }

    /// Pages of these projects and of no others.
    fn has_pages_of<'a>(&self, projects: impl Iterator<Item = &'a str>) -> anyhow::Result<()> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.web().join("simple"))? {
            let entry = entry?;
            if entry.path().is_dir() {
                found.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        found.sort();
        let expected: Vec<_> = projects.collect();
        ensure!(found == expected, "pages of {found:?}, not {expected:?}");
        Ok(())
    }
}

impl Mirror for Pep381 {
    async fn sync(&self, world: &World, _: u64) -> anyhow::Result<()> {
        let folder = self.folder.path().join("mirror");
        pep381::synchronize(&self.python, world.edge.pop.address(), &folder)?;
        for project in world.projects() {
            // Its page is the one of the project's last row; beside it is what stands for a signature.
            let url = format!(
                "{}/changelog/?project={project}&limit=10000",
                world.edge.index.url()
            );
            let rows = world.reader.get(&url).await?.json()?;
            let last = rows["changes"].as_array().and_then(|rows| rows.last());
            let last = last.context("no rows")?;
            let hash = sha256(&fs::read(self.page(project))?);
            ensure!(last["page"]["html"]["sha256"] == hash, "{hash}, not {last}");
            let signature = fs::read_to_string(self.web().join("serversig").join(project))?;
            let expected = format!("sha256:{hash} {}\n", last["serial"]);
            ensure!(signature == expected, "{signature:?}, not {expected:?}");
        }
        // In quarantine a page is empty, and there; a project that was removed has none.
        self.has_pages_of(world.pages())
    }

    async fn shows(&self, project: &str) -> anyhow::Result<Shown> {
        let html = fs::read_to_string(self.page(project))?;
        let (_, serial) = html.rsplit_once("<!--SERIAL ").context("no serial")?;
        let serial = serial.trim_end_matches("-->").parse()?;
        let files = anchors(&html)?.into_iter().map(|anchor| {
            let [href, yanked, requires_python, _] = anchor;
            let href = href.context("no link")?;
            let (path, sha256) = href.split_once("#sha256=").context("no hash")?;
            let filename = path.rsplit('/').next();
            let yanked = yanked.map_or(Value::Bool(false), Value::String);
            Ok(json!([filename, sha256, requires_python, yanked]))
        });
        let files = files.collect::<anyhow::Result<_>>()?;
        Ok(Shown::new(serial, files))
    }

    async fn files(&self, _: &World) -> anyhow::Result<BTreeMap<String, String>> {
        stored(&self.web().join("packages"))
    }

    fn keeps_reasons(&self) -> bool {
        true
    }

    fn keeps_quarantined(&self) -> bool {
        false
    }

    fn target(&self) -> String {
        self.web().display().to_string()
    }
}
