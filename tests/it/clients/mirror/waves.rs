//! What happens to the index that mirrors follow, wave by wave, and what it must show thereafter.
//!
//! Invariant: what is expected is known from what was sent. Nothing in a [`World`] was read back.

use std::collections::BTreeMap;

use anyhow::Context as _;
use lockstep_tests::dist::{Dist, Opts, sdist, wheel};
use lockstep_tests::edge::Edge;
use lockstep_tests::reader::Reader;
use reqwest::Method;
use serde_json::{Value, json};

use super::Shown;

/// A wave of changes, in the order in which they come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wave {
    /// The first projects, which a new mirror meets.
    FirstProjects,
    /// A new release of a project that the mirror has, and a project that it has not.
    NewReleaseAndProject,
    /// A release is yanked, with a reason that must be escaped.
    Yank,
    /// … and is as before.
    Unyank,
    /// One of a release's two files goes.
    RemovedFile,
    /// The release goes, with its last file.
    RemovedRelease,
    /// A project is quarantined, so that its page is empty and no list has it. Then another changes, for
    /// the same reason as below.
    Quarantined,
    /// … and is cleared: all of it is there again.
    Cleared,
    /// A project goes. Then one is archived: a list without the project that went has no trace of
    /// that serial, so that mirrors which go by the list alone are never there.
    RemovedAndArchivedProjects,
}

impl Wave {
    pub(super) const ALL: [Self; 9] = [
        Self::FirstProjects,
        Self::NewReleaseAndProject,
        Self::Yank,
        Self::Unyank,
        Self::RemovedFile,
        Self::RemovedRelease,
        Self::Quarantined,
        Self::Cleared,
        Self::RemovedAndArchivedProjects,
    ];

    /// For the table.
    fn words(self) -> &'static str {
        match self {
            Self::FirstProjects => "first projects",
            Self::NewReleaseAndProject => "new release and project",
            Self::Yank => "yank",
            Self::Unyank => "unyank",
            Self::RemovedFile => "removed file",
            Self::RemovedRelease => "removed release",
            Self::Quarantined => "quarantine",
            Self::Cleared => "its end",
            Self::RemovedAndArchivedProjects => "removed and archived project",
        }
    }

    /// Sends the changes to the origin.
    pub(super) async fn happens(self, world: &mut World) -> anyhow::Result<()> {
        match self {
            Self::FirstProjects => {
                world
                    .upload("First.Project", "1.0", wheel, ">=3.9,<4")
                    .await?;
                world
                    .upload("First.Project", "1.0", sdist, ">=3.9,<4")
                    .await?;
                world.upload("second_project", "0.1", wheel, "").await
            }
            Self::NewReleaseAndProject => {
                world
                    .upload("First.Project", "2.0", wheel, ">=3.10")
                    .await?;
                world.upload("third", "1.0", sdist, "!=3.8.*").await
            }
            Self::Yank => {
                let (path, body) = ("first-project/releases/1.0/yank", json!({"reason": REASON}));
                let serial = world.edge.index.order(Method::POST, path, &body).await?;
                world.mark("first-project", serial, "-1.0", &json!(REASON))
            }
            Self::Unyank => {
                let path = "first-project/releases/1.0/unyank";
                let serial = world
                    .edge
                    .index
                    .order(Method::POST, path, &Value::Null)
                    .await?;
                world.mark("first-project", serial, "-1.0", &json!(false))
            }
            Self::RemovedFile => {
                let path = "first-project/files/first_project-1.0.tar.gz";
                let serial = world
                    .edge
                    .index
                    .order(Method::DELETE, path, &Value::Null)
                    .await?;
                world.remove("first-project", serial, "-1.0.tar.gz")
            }
            Self::RemovedRelease => {
                let path = "first-project/releases/1.0";
                let serial = world
                    .edge
                    .index
                    .order(Method::DELETE, path, &Value::Null)
                    .await?;
                world.remove("first-project", serial, "-1.0-")
            }
            Self::Quarantined => {
                world.set_status("third", "quarantined").await?;
                world.upload("second_project", "0.2", wheel, "").await
            }
            Self::Cleared => world.set_status("third", "active").await,
            Self::RemovedAndArchivedProjects => {
                let serial = world
                    .edge
                    .index
                    .order(Method::DELETE, "third", &Value::Null)
                    .await?;
                world.remove("third", serial, "-")?;
                world.set_status("second-project", "archived").await
            }
        }
    }
}

/// Signs that HTML and JSON must escape.
const REASON: &str = "it \"broke\" <a> & b";

/// What a mirror was taken through, for the table.
pub(super) fn did() -> String {
    let words = Wave::ALL.map(Wave::words).join("; ");
    format!("{words}: status, pages, files and audit after each")
}

/// A project as it must be.
#[derive(Default)]
struct Project {
    /// Of its last change.
    serial: u64,
    /// In quarantine, and of the last change before it.
    hidden: Option<u64>,
    /// Its files, in the order of time, and what their page says of them.
    files: Vec<(Dist, Value)>,
}

/// An index behind its edge, and what has been sent to it.
pub(super) struct World {
    pub(super) edge: Edge,
    pub(super) reader: Reader,
    /// By normalized name.
    projects: BTreeMap<String, Project>,
    /// Files that were there: name and SHA-256.
    removed: BTreeMap<String, String>,
}

impl World {
    /// An empty one.
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            edge: Edge::start()?,
            reader: Reader::new()?,
            projects: BTreeMap::new(),
            removed: BTreeMap::new(),
        })
    }

    /// Uploads a distribution made by `make`; an empty `requires_python` is none.
    async fn upload(
        &mut self,
        name: &str,
        version: &str,
        make: fn(&str, &str, &Opts) -> Dist,
        requires_python: &str,
    ) -> anyhow::Result<()> {
        let requires_python = Some(requires_python.to_owned()).filter(|text| !text.is_empty());
        let opts = Opts {
            requires_python,
            ..Opts::default()
        };
        let dist = make(name, version, &opts);
        let answer = self.edge.upload(name, version, &dist).await?;
        let normalized = name.to_lowercase().replace(['.', '_'], "-");
        let project = self.projects.entry(normalized).or_default();
        project.serial = answer.serial.context("an upload without a serial")?;
        let row = json!([dist.filename, dist.sha256, opts.requires_python, false]);
        project.files.push((dist, row));
        Ok(())
    }

    /// Gives a project a status, with a reason that must be escaped.
    async fn set_status(&mut self, name: &str, status: &str) -> anyhow::Result<()> {
        let body = json!({"status": status, "reason": REASON});
        let path = format!("{name}/status");
        let serial = self.edge.index.order(Method::PUT, &path, &body).await?;
        let project = self.projects.get_mut(name).context("no such project")?;
        project.hidden = (status == "quarantined").then_some(project.serial);
        project.serial = serial;
        Ok(())
    }

    /// The project's files whose name contains this are yanked, or are not.
    fn mark(
        &mut self,
        project: &str,
        serial: u64,
        part: &str,
        yanked: &Value,
    ) -> anyhow::Result<()> {
        let project = self.projects.get_mut(project).context("no such project")?;
        project.serial = serial;
        for (dist, row) in &mut project.files {
            if dist.filename.contains(part) {
                row[3] = yanked.clone();
            }
        }
        Ok(())
    }

    /// The project's files whose name contains this are gone, and with the last the project.
    fn remove(&mut self, name: &str, serial: u64, part: &str) -> anyhow::Result<()> {
        let project = self.projects.get_mut(name).context("no such project")?;
        project.serial = serial;
        for (dist, _) in project
            .files
            .extract_if(.., |(dist, _)| dist.filename.contains(part))
        {
            self.removed.insert(dist.filename, dist.sha256);
        }
        if project.files.is_empty() {
            self.projects.remove(name);
        }
        Ok(())
    }

    /// Waits until everything is announced and the edge's list says so; returns the serial.
    pub(super) async fn announced(&self) -> anyhow::Result<u64> {
        self.edge.index.settle()?;
        self.edge.forget_list().await?;
        self.reader
            .wait_for_list(&self.edge.pop.url(), &self.edge.index)
            .await
    }

    /// The projects that are listed.
    pub(super) fn projects(&self) -> impl Iterator<Item = &str> {
        let listed = self.projects.iter().filter(|it| it.1.hidden.is_none());
        listed.map(|(name, _)| name.as_str())
    }

    /// The projects that have a page, though it may be empty.
    pub(super) fn pages(&self) -> impl Iterator<Item = &str> {
        self.projects.keys().map(String::as_str)
    }

    /// The project in quarantine, with the serial of its last page before.
    pub(super) fn hidden(&self) -> Option<(&str, u64)> {
        let mut projects = self.projects.iter();
        projects.find_map(|(name, project)| Some((name.as_str(), project.hidden?)))
    }

    /// What a mirror must show of a project.
    pub(super) fn expected(&self, project: &str) -> anyhow::Result<Shown> {
        let project = self.projects.get(project).context("no such project")?;
        let mut files: Vec<_> = project.files.iter().map(|(_, row)| row.clone()).collect();
        files.sort_by_key(|file| file[0].as_str().map(str::to_owned));
        Ok(Shown {
            serial: project.serial,
            files,
        })
    }

    /// Every file that is shown: name and SHA-256.
    pub(super) fn files(&self) -> BTreeMap<String, String> {
        files(self.projects.values().filter(|it| it.hidden.is_none()))
    }

    /// The same for the files that were shown.
    pub(super) fn may_keep(&self) -> BTreeMap<String, String> {
        let mut kept = files(self.projects.values().filter(|it| it.hidden.is_some()));
        kept.extend(self.removed.clone());
        kept
    }

    /// The wheel of a project that came last.
    pub(super) fn newest_wheel(&self, project: &str) -> Option<&Dist> {
        let files = self.projects.get(project)?.files.iter().rev();
        files
            .map(|(dist, _)| dist)
            .find(|dist| !dist.filename.ends_with(".tar.gz"))
    }
}

fn files<'a>(projects: impl Iterator<Item = &'a Project>) -> BTreeMap<String, String> {
    projects
        .flat_map(|project| &project.files)
        .map(|(dist, _)| (dist.filename.clone(), dist.sha256.clone()))
        .collect()
}
