//! devpi: fetches when it is asked, renders its own pages, and has a pip behind it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use lockstep_tests::devpi::Devpi;
use lockstep_tests::edge::Edge;
use lockstep_tests::reader::{JSON, Reader};

use super::super::{Home, is_installed, run};
use super::waves::World;
use super::{Mirror, Shown, sha256};

pub(super) struct DevpiMirror {
    // Ends before its folder goes.
    devpi: Devpi,
    pip: PathBuf,
    home: Home,
    reader: Reader,
    /// Its list of projects, `…/+simple/`.
    simple: String,
}

impl DevpiMirror {
    pub(super) async fn start(
        program: &Path,
        pip: PathBuf,
        home: Home,
        edge: &Edge,
    ) -> anyhow::Result<Self> {
        let devpi = Devpi::start(program, &home.path().join("devpi")).await?;
        let simple = devpi.mirror(&format!("{}/simple/", edge.pop.url())).await?;
        let reader = Reader::new()?;
        Ok(Self {
            devpi,
            pip,
            home,
            reader,
            simple,
        })
    }
}

impl Mirror for DevpiMirror {
    /// It looks when somebody asks and what it has is old. Then a pip gets the newest wheel from it.
    async fn sync(&self, world: &World, announced: u64) -> anyhow::Result<()> {
        // Only while its list is read, which has changed: to a list that is old but unchanged (304)
        // devpi 6.20 answers with the projects that somebody has asked it for, and with no others.
        self.devpi.expire(true).await?;
        let list = self
            .reader
            .variant(&self.simple, (JSON, false))
            .await?
            .json()?;
        self.devpi.expire(false).await?;
        let projects = list["projects"].as_array().context("no projects")?;
        for project in world.pages() {
            let listed = projects.iter().any(|listed| listed["name"] == project);
            let expected = world.projects().any(|shown| shown == project);
            ensure!(listed == expected, "{project}: {listed}, {list}");
            let refresh = format!("{}{project}/refresh", self.simple);
            let answer = reqwest::Client::new().post(&refresh).send().await?;
            ensure!(answer.status().is_success(), "{refresh}: {answer:?}");
        }
        let site = self.home.path().join(format!("site-{announced}"));
        let mut command = self.home.command(&self.pip);
        command.args([
            "install",
            "--disable-pip-version-check",
            "--index-url",
            &self.simple,
        ]);
        let ran = run(command.arg("--target").arg(&site).arg("first-project"))?;
        ensure!(ran.success, "{}", ran.output);
        let wheel = world.newest_wheel("first-project").context("no wheel")?;
        is_installed(wheel, &site).context(ran.output)
    }

    async fn shows(&self, project: &str) -> anyhow::Result<Shown> {
        let url = format!("{}{project}/", self.simple);
        let page = self.reader.variant(&url, (JSON, false)).await?;
        Shown::of(page.serial.context("no serial")?, &page.json()?)
    }

    async fn files(&self, world: &World) -> anyhow::Result<BTreeMap<String, String>> {
        let mut files = BTreeMap::new();
        for project in world.projects() {
            let url = format!("{}{project}/", self.simple);
            let page = self.reader.variant(&url, (JSON, false)).await?.json()?;
            for file in page["files"].as_array().context("no files")? {
                let text = |key: &str| file[key].as_str().context("no text");
                let address = reqwest::Url::parse(&url)?.join(text("url")?)?;
                let got = self.reader.get(address.as_str()).await?;
                ensure!(got.status == 200, "{address}: {}", got.status);
                files.insert(text("filename")?.to_owned(), sha256(&got.bytes));
            }
        }
        Ok(files)
    }

    fn keeps_reasons(&self) -> bool {
        true
    }

    fn keeps_quarantined(&self) -> bool {
        false
    }

    fn target(&self) -> String {
        self.simple.clone()
    }
}
