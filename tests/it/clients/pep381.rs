//! The mirror of 2013: pep381client 1.5 on Python 2.7, unmodified, with the edge as its index.
//!
//! It checks no hash and no serial, so it keeps for good whatever page it is shown. What it keeps is a
//! copy of our HTML page, byte for byte, which the changelog's `page.html.sha256` can judge.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use lockstep_core::digest::Sha256;
use lockstep_tests::dist::{Dist, Opts, sdist, wheel};
use lockstep_tests::edge::Edge;
use lockstep_tests::index::{binary, client};
use lockstep_tests::reader::Reader;

use super::{Home, run};
use crate::audit::files_below;

/// The mirror under test.
struct Mirror<'a> {
    python: PathBuf,
    home: &'a Home,
    edge: &'a Edge,
    reader: Reader,
}

/// What the mirror must hold: per project the files of its page, by name, with their hashes.
type Held = BTreeMap<String, BTreeMap<String, String>>;

impl Mirror<'_> {
    fn folder(&self) -> PathBuf {
        self.home.path().join("mirror")
    }

    fn page(&self, project: &str) -> PathBuf {
        self.folder()
            .join("web/simple")
            .join(project)
            .join("index.html")
    }

    /// Runs one synchronization, as cron does.
    fn sync(&self) -> anyhow::Result<()> {
        self.edge.index.settle()?;
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/pep381_driver.py");
        let mut command = self.home.command(&self.python);
        command
            .arg(driver)
            .arg(self.edge.pop.address().to_string())
            .arg(self.folder());
        let ran = run(&mut command)?;
        ensure!(ran.success, "pep381client failed:\n{}", ran.output);
        Ok(())
    }

    /// The mirror is what the changelog says, to the byte, and has nothing else.
    async fn is(&self, held: &Held) -> anyhow::Result<()> {
        for project in held.keys() {
            self.has_the_page_of(project).await?;
        }
        let web = self.folder().join("web");
        let mut pages = Vec::new();
        for entry in fs::read_dir(web.join("simple"))? {
            let entry = entry?;
            if entry.path().is_dir() {
                pages.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        pages.sort();
        ensure!(pages.iter().eq(held.keys()), "pages of {pages:?}");
        let mut found = BTreeMap::new();
        for path in files_below(&web.join("packages"))? {
            let name = path
                .file_name()
                .context("no name")?
                .to_string_lossy()
                .into_owned();
            found.insert(name, Sha256::of(&fs::read(&path)?).to_string());
        }
        let expected: BTreeMap<_, _> = held
            .values()
            .flatten()
            .map(|(a, b)| (a.clone(), b.clone()))
            .collect();
        ensure!(found == expected, "files {found:?}, not {expected:?}");
        let exact = format!("{} exact\n", held.len());
        let (code, findings, summary) = self.audit()?;
        ensure!(
            code == Some(0) && findings.is_empty() && summary.ends_with(&exact),
            "{code:?}: {findings}{summary}"
        );
        Ok(())
    }

    /// Its page is the one of the project's last row; beside it is what stands for a signature.
    async fn has_the_page_of(&self, project: &str) -> anyhow::Result<()> {
        let base = self.edge.index.url();
        let url = format!("{base}/changelog/?project={project}&limit=10000");
        let rows = self.reader.get(&url).await?.json()?;
        let rows = rows["changes"].as_array().context("no rows")?;
        let last = rows.last().context("no rows")?;
        let hash = Sha256::of(&fs::read(self.page(project))?).to_string();
        ensure!(
            last["page"]["html"]["sha256"] == hash,
            "{project}: {hash}, not {last}"
        );
        let signature = self.folder().join("web/serversig").join(project);
        let signature = fs::read_to_string(signature)?;
        let expected = format!("sha256:{hash} {}\n", last["serial"]);
        ensure!(
            signature == expected,
            "{project}: {signature:?}, not {expected:?}"
        );
        Ok(())
    }

    /// `lockstep audit` of its folder: exit code, findings, summary.
    fn audit(&self) -> anyhow::Result<(Option<i32>, String, String)> {
        let mut command = Command::new(binary());
        command.arg("audit").arg(self.folder().join("web"));
        let output = command.arg("--index").arg(self.edge.index.url()).output()?;
        let (out, err) = (
            String::from_utf8(output.stdout)?,
            String::from_utf8(output.stderr)?,
        );
        Ok((output.status.code(), out, err))
    }

    /// The audit has this one finding.
    fn is_caught(&self, begin: &str, part: &str) -> anyhow::Result<()> {
        let (code, out, err) = self.audit()?;
        let lines: Vec<_> = out.lines().collect();
        ensure!(
            code == Some(1) && lines.len() == 1 && out.starts_with(begin) && out.contains(part),
            "{code:?}, not `{begin}…{part}`: {out}{err}"
        );
        Ok(())
    }

    /// Uploads, and says what the mirror must hold from then on.
    async fn publish(
        &self,
        held: &mut Held,
        name: &str,
        version: &str,
        dist: &Dist,
    ) -> anyhow::Result<()> {
        self.edge.upload(name, version, dist).await?;
        let project = name.to_lowercase().replace(['.', '_'], "-");
        let files = held.entry(project).or_default();
        files.insert(dist.filename.clone(), dist.sha256.clone());
        Ok(())
    }

    /// A new mirror of two projects.
    async fn first_wave(&self, held: &mut Held) -> anyhow::Result<()> {
        let opts = Opts {
            // Signs that must be escaped in a page that is parsed as XML.
            requires_python: Some(">=3.9,<4".to_owned()),
            ..Opts::default()
        };
        let first = "First.Project";
        self.publish(held, first, "1.0", &wheel(first, "1.0", &opts))
            .await?;
        self.publish(held, first, "1.0", &sdist(first, "1.0", &opts))
            .await?;
        let second = "second_project";
        let old = sdist(second, "0.1", &Opts::default());
        self.publish(held, second, "0.1", &old).await
    }

    /// A new release and a new project.
    async fn second_wave(&self, held: &mut Held) -> anyhow::Result<()> {
        let opts = Opts::default();
        let first = "First.Project";
        self.publish(held, first, "2.0", &wheel(first, "2.0", &opts))
            .await?;
        self.publish(held, "third", "1.0", &wheel("third", "1.0", &opts))
            .await
    }
}

#[tokio::test]
async fn pep381client() -> anyhow::Result<()> {
    let Some(python) = client("pep381", "python2.7")? else {
        return Ok(());
    };
    let (edge, home) = (Edge::start()?, Home::new()?);
    let mirror = Mirror {
        python,
        home: &home,
        edge: &edge,
        reader: Reader::new()?,
    };
    let mut held = Held::new();
    mirror.first_wave(&mut held).await?;
    mirror.sync()?;
    mirror.is(&held).await?;
    let old = fs::read(mirror.page("first-project"))?;
    // A run with nothing to do.
    mirror.sync()?;
    mirror.is(&held).await?;

    mirror.second_wave(&mut held).await?;
    let (code, ..) = mirror.audit()?;
    ensure!(
        code == Some(1),
        "the mirror is behind, and the audit says {code:?}"
    );
    mirror.sync()?;
    mirror.is(&held).await?;

    // What went wrong in 2013: an old page in the mirror, for good, and nobody knows.
    let page = mirror.page("first-project");
    let right = fs::read(&page)?;
    fs::write(&page, old)?;
    mirror.is_caught("behind first-project: shows serial 4", "serials behind")?;
    fs::write(&page, right)?;
    let file = files_below(&mirror.folder().join("web/packages"))?
        .into_iter()
        .find(|path| path.ends_with("third-1.0-py3-none-any.whl"))
        .context("no wheel of `third`")?;
    let right = fs::read(&file)?;
    fs::write(&file, [&right[..right.len() - 1], b"x"].concat())?;
    mirror.is_caught(
        "different third: third-1.0-py3-none-any.whl: ",
        "other bytes",
    )?;
    fs::remove_file(&file)?;
    mirror.is_caught(
        "different third: third-1.0-py3-none-any.whl: ",
        "not in the folder",
    )?;
    fs::write(&file, right)?;
    mirror.is(&held).await?;
    eprintln!("pep381client 1.5: two waves; pages to the byte, files, and what the audit finds");
    Ok(())
}
