//! What happens to the index that mirrors follow, wave by wave, and what it must show thereafter.
//!
//! Invariant: what is expected is known from what was sent. Nothing in a [`World`] was read back.

use std::collections::BTreeMap;

use anyhow::Context as _;
use lockstep_tests::dist::{Dist, Opts, sdist, wheel};
use lockstep_tests::edge::Edge;
use lockstep_tests::reader::Reader;
use serde_json::{Value, json};

use super::Shown;

/// A wave of changes, in the order in which they come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wave {
    /// The first projects, which a new mirror meets.
    FirstProjects,
    /// A new release of a project that the mirror has, and a project that it has not.
    NewReleaseAndProject,
}

impl Wave {
    pub(super) const ALL: [Self; 2] = [Self::FirstProjects, Self::NewReleaseAndProject];

    /// For the table.
    fn words(self) -> &'static str {
        match self {
            Self::FirstProjects => "first projects",
            Self::NewReleaseAndProject => "new release and project",
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
        }
    }
}

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
    /// Its files, in the order of time, and what their page says of them.
    files: Vec<(Dist, Value)>,
}

/// An index behind its edge, and what has been sent to it.
pub(super) struct World {
    pub(super) edge: Edge,
    pub(super) reader: Reader,
    /// By normalized name.
    projects: BTreeMap<String, Project>,
}

impl World {
    /// An empty one.
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            edge: Edge::start()?,
            reader: Reader::new()?,
            projects: BTreeMap::new(),
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

    /// Waits until everything is announced and the edge's list says so; returns the serial.
    pub(super) async fn announced(&self) -> anyhow::Result<u64> {
        self.edge.index.settle()?;
        self.edge.forget_list().await?;
        self.reader
            .wait_for_list(&self.edge.pop.url(), &self.edge.index)
            .await
    }

    /// The projects there are.
    pub(super) fn projects(&self) -> impl Iterator<Item = &str> {
        self.projects.keys().map(String::as_str)
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

    /// Every file: name and SHA-256.
    pub(super) fn files(&self) -> BTreeMap<String, String> {
        let files = self.projects.values().flat_map(|project| &project.files);
        files
            .map(|(dist, _)| (dist.filename.clone(), dist.sha256.clone()))
            .collect()
    }

    /// The wheel of a project that came last.
    pub(super) fn newest_wheel(&self, project: &str) -> Option<&Dist> {
        let files = self.projects.get(project)?.files.iter().rev();
        files
            .map(|(dist, _)| dist)
            .find(|dist| !dist.filename.ends_with(".tar.gz"))
    }
}
