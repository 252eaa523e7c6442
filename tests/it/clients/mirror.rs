//! Mirrors: bandersnatch 8, with the edge as its master.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use lockstep_core::digest::Sha256;
use lockstep_tests::dist::{Dist, Opts, sdist, wheel};
use lockstep_tests::edge::Edge;
use lockstep_tests::index::client;
use lockstep_tests::reader::Reader;
use serde_json::{Value, json};

use super::Home;

/// Files under a folder, by name.
pub(super) fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// The mirror under test.
struct Mirror<'a> {
    program: PathBuf,
    home: &'a Home,
    edge: &'a Edge,
}

impl Mirror<'_> {
    fn folder(&self) -> PathBuf {
        self.home.path().join("mirror")
    }

    /// Runs one synchronization, as soon as the edge's list is the announced one.
    async fn sync(&self, reader: &Reader) -> anyhow::Result<()> {
        self.edge.index.settle()?;
        let master = self.edge.pop.url();
        let announced = reader.wait_for_list(&master, &self.edge.index).await?;
        let settings = format!(
            "[mirror]\ndirectory = {}\njson = true\nmaster = {master}\nallow-non-https = true\n\
             timeout = 10\nglobal-timeout = 120\nworkers = 3\nstop-on-error = false\n",
            self.folder().display()
        );
        let path = self.home.path().join("bandersnatch.conf");
        fs::write(&path, settings)?;
        let path = path.to_str().context("not UTF-8")?;
        let ran = self.home.run(&self.program, &["-c", path, "mirror"])?;
        let status =
            fs::read_to_string(self.folder().join("status")).with_context(|| ran.output.clone())?;
        ensure!(
            status.trim() == announced.to_string(),
            "{status}, not {announced}: {}",
            ran.output
        );
        ensure!(
            !self.folder().join("todo").exists(),
            "something is left to do: {}",
            ran.output
        );
        Ok(())
    }

    /// The mirror holds exactly these files, byte for byte.
    fn holds(&self, dists: &[Dist]) -> anyhow::Result<()> {
        let mut found = Vec::new();
        for path in files_below(&self.folder().join("web/packages"))? {
            let name = path
                .file_name()
                .context("no name")?
                .to_string_lossy()
                .into_owned();
            if !name.ends_with(".metadata") {
                found.push((name, Sha256::of(&fs::read(&path)?).to_string()));
            }
        }
        let mut expected: Vec<_> = dists
            .iter()
            .map(|dist| (dist.filename.clone(), dist.sha256.clone()))
            .collect();
        found.sort();
        expected.sort();
        ensure!(found == expected, "the mirror holds {found:?}");
        Ok(())
    }

    /// The page that the mirror has rendered says what the changelog says it must: per file its
    /// name, hash, requires-python and yank. Its own bytes are bandersnatch's.
    async fn agrees(&self, reader: &Reader, project: &str) -> anyhow::Result<()> {
        let base = self.edge.index.url();
        let rows = reader
            .get(&format!("{base}/changelog/?project={project}&limit=10000"))
            .await?;
        let rows = rows.json()?;
        let last = rows["changes"]
            .as_array()
            .and_then(|rows| rows.last())
            .context("no rows")?;
        let url = format!(
            "{base}{}",
            last["content"]["url"].as_str().context("no content")?
        );
        let content = reader.get(&url).await?;
        ensure!(
            last["content"]["sha256"] == content.hash(),
            "the content is not its hash"
        );
        let wanted: Vec<Value> = String::from_utf8(content.bytes)?
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;

        let folder = self.folder().join("web/simple").join(project);
        let page: Value = serde_json::from_slice(&fs::read(folder.join("index.v1_json"))?)?;
        let text = |value: &Value| {
            value
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let mut found: Vec<Value> = page["files"]
            .as_array()
            .context("no files")?
            .iter()
            .map(|file| {
                let yanked = file.get("yanked").cloned().unwrap_or(Value::Bool(false));
                let requires = text(&file["requires-python"]);
                json!([file["filename"], file["hashes"]["sha256"], requires, yanked])
            })
            .collect();
        found.sort_by_key(|file| file[0].as_str().map(str::to_owned));
        ensure!(found == wanted, "{project}: {found:?}, not {wanted:?}");
        let html = fs::read_to_string(folder.join("index.html"))?;
        let serial = format!("<!--SERIAL {}-->", last["serial"]);
        ensure!(html.contains(&serial), "{project}: no {serial} in {html}");
        let kept = fs::read(self.folder().join("web/json").join(project))?;
        let kept: Value = serde_json::from_slice(&kept)?;
        ensure!(
            kept["last_serial"] == last["serial"],
            "{project}: the JSON is old"
        );
        Ok(())
    }
}

#[tokio::test]
async fn bandersnatch() -> anyhow::Result<()> {
    let Some(program) = client("bandersnatch8", "bandersnatch")? else {
        return Ok(());
    };
    let (edge, home, reader) = (Edge::start()?, Home::new()?, Reader::new()?);
    let version = home.version(&program)?;
    let mirror = Mirror {
        program,
        home: &home,
        edge: &edge,
    };
    let opts = |requires: &str| Opts {
        requires_python: Some(requires.to_owned()),
        ..Opts::default()
    };
    let waves = [
        vec![
            (
                "First.Project",
                "1.0",
                wheel("First.Project", "1.0", &opts(">=3.9,<4")),
            ),
            (
                "First.Project",
                "1.0",
                sdist("First.Project", "1.0", &opts(">=3.9,<4")),
            ),
            (
                "second_project",
                "0.1",
                wheel("second_project", "0.1", &Opts::default()),
            ),
        ],
        // A new release and a new project.
        vec![
            (
                "First.Project",
                "2.0",
                wheel("First.Project", "2.0", &opts(">=3.10")),
            ),
            ("third", "1.0", sdist("third", "1.0", &opts("!=3.8.*"))),
        ],
    ];
    let mut all = Vec::new();
    for (wave, projects) in waves.into_iter().zip([
        &["first-project", "second-project"][..],
        &["first-project", "third"],
    ]) {
        for (name, version, dist) in wave {
            edge.upload(name, version, &dist).await?;
            all.push(dist);
        }
        mirror.sync(&reader).await?;
        mirror.holds(&all)?;
        for project in projects {
            mirror.agrees(&reader, project).await?;
        }
    }
    mirror.agrees(&reader, "second-project").await?;
    eprintln!("{version}: two waves; files, pages, JSON and status are those of the changelog");
    Ok(())
}
