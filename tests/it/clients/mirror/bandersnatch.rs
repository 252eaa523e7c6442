//! bandersnatch: copies files, renders its own pages from the JSON of a project.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::super::Home;
use super::waves::World;
use super::{Mirror, Shown, stored};

pub(super) struct Bandersnatch<'a> {
    pub(super) program: PathBuf,
    pub(super) home: Home,
    /// More lines of its section `mirror`.
    pub(super) settings: &'a str,
}

impl Bandersnatch<'_> {
    fn folder(&self) -> PathBuf {
        self.home.path().join("mirror")
    }
}

impl Mirror for Bandersnatch<'_> {
    async fn sync(&self, world: &World, announced: u64) -> anyhow::Result<()> {
        let settings = format!(
            "[mirror]\ndirectory = {}\njson = true\nmaster = {}\nallow-non-https = true\n\
             timeout = 10\nglobal-timeout = 120\nworkers = 3\nstop-on-error = false\n{}\n",
            self.folder().display(),
            world.edge.pop.url(),
            self.settings
        );
        let path = self.home.path().join("bandersnatch.conf");
        fs::write(&path, settings)?;
        let path = path.to_str().context("not UTF-8")?;
        let ran = self.home.run(&self.program, &["-c", path, "mirror"])?;
        let status = fs::read_to_string(self.folder().join("status"));
        let status = status.with_context(|| ran.output.clone())?;
        ensure!(
            status.trim() == announced.to_string(),
            "status {status}, not {announced}: {}",
            ran.output
        );
        let todo = self.folder().join("todo").exists();
        ensure!(!todo, "something is left to do: {}", ran.output);
        Ok(())
    }

    async fn shows(&self, project: &str) -> anyhow::Result<Shown> {
        let web = self.folder().join("web");
        let simple = web.join("simple").join(project);
        let kept = |path: PathBuf| -> anyhow::Result<String> {
            fs::read_to_string(&path).with_context(|| path.display().to_string())
        };
        let document: Value = serde_json::from_str(&kept(web.join("json").join(project))?)?;
        let serial = document["last_serial"].as_u64().context("no serial")?;
        let html = kept(simple.join("index.html"))?;
        let mark = format!("<!--SERIAL {serial}-->");
        ensure!(html.contains(&mark), "{project}: no {mark} in {html}");
        Shown::of(
            serial,
            &serde_json::from_str(&kept(simple.join("index.v1_json"))?)?,
        )
    }

    async fn files(&self, _: &World) -> anyhow::Result<BTreeMap<String, String>> {
        let mut files = stored(&self.folder().join("web/packages"))?;
        files.retain(|name, _| !name.ends_with(".metadata"));
        Ok(files)
    }

    fn keeps_reasons(&self) -> bool {
        false
    }

    fn keeps_quarantined(&self) -> bool {
        true
    }

    fn target(&self) -> String {
        self.folder().display().to_string()
    }
}
