//! One project at the announced serial, for the methods that tell of one.
//!
//! What a mirror may know is the content manifest of that serial. Rows of releases and files are kept
//! as they are now, so they are looked up and only those are told that the manifest names, with its
//! hash: nothing newer than announced is told. A file that was removed after that serial has no row any
//! more and is left out a moment early; nobody could fetch it.

use std::collections::BTreeMap;

use dxr::Value;
use lockstep_core::latest::rank;
use lockstep_core::manifest;
use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_core::page::FileLinks;
use lockstep_core::version::Version;
use lockstep_store::changelog::{self, Content};
use lockstep_store::files::{self, File};
use lockstep_store::projects::{self, StateAt};
use lockstep_store::releases::{self, Release};
use lockstep_store::{Client, StoreError, begin_snapshot, watermarks};

use super::CallError;
use crate::app::App;
use crate::error::ApiError;

/// A project with its releases.
pub(super) struct Announced {
    /// As it spelled itself then.
    pub(super) name: ProjectName,
    /// Newest first; one without files is not among them.
    pub(super) releases: Vec<AnnouncedRelease>,
}

/// A release with the files it had.
pub(super) struct AnnouncedRelease {
    pub(super) release: Release,
    /// Sorted bytewise by name.
    pub(super) files: Vec<File>,
    /// Whether it was yanked then.
    pub(super) yanked: bool,
}

impl Announced {
    /// The project; `None` when there was none by that name.
    pub(super) async fn read(
        app: &App,
        project: Option<&NormalizedName>,
    ) -> Result<Option<Self>, CallError> {
        let Some(project) = project else {
            return Ok(None);
        };
        let mut connection = app.store.connection().await?;
        let snapshot = begin_snapshot(&mut connection).await?;
        let Some(state) = state(&snapshot, project).await? else {
            return Ok(None);
        };
        let shown = shown(&snapshot, &state).await?;
        let all = releases::of_project(&snapshot, state.project).await?;
        let mut files = BTreeMap::<i64, Vec<File>>::new();
        for file in files::of_project(&snapshot, state.project).await? {
            let known = shown.get(file.filename.as_str());
            if known.is_some_and(|known| known.sha256 == file.sha256) {
                files.entry(file.release).or_default().push(file);
            }
        }
        let mut releases: Vec<_> = all
            .into_iter()
            .filter_map(|release| {
                let files = files.remove(&release.id)?;
                let yanked = files.first()?.filename.as_str();
                let yanked = shown.get(yanked).is_some_and(|file| file.yanked);
                Some(AnnouncedRelease {
                    release,
                    files,
                    yanked,
                })
            })
            .collect();
        releases.sort_by(|a, b| b.release.version.cmp(&a.release.version));
        let name = state.name;
        Ok(Some(Self { name, releases }))
    }

    /// The release with this version, however it is spelled.
    pub(super) fn release(&self, version: &Version) -> Option<&AnnouncedRelease> {
        self.releases
            .iter()
            .find(|it| it.release.version.is_same_release_as(version))
    }

    /// The latest, by the same rule as everywhere.
    pub(super) fn latest(&self) -> Option<&AnnouncedRelease> {
        let releases = self.releases.iter();
        releases.max_by_key(|it| rank(&it.release.version, it.yanked))
    }
}

/// The project's last row at the announced serial; `None` for a name that nobody had used by then.
pub(super) async fn state(
    client: &impl Client,
    project: &NormalizedName,
) -> Result<Option<StateAt>, StoreError> {
    let announced = watermarks::read(client).await?.announced;
    projects::state_at(client, project, announced).await
}

/// The files of that state, by name.
pub(super) async fn shown(
    client: &impl Client,
    state: &StateAt,
) -> Result<BTreeMap<String, manifest::ContentFile>, CallError> {
    let content = match changelog::content(client, state.serial).await? {
        Some(Content::Here(content)) => content,
        // Announcing lags behind by more than `retention`: the next announcement mends it.
        Some(Content::Gone) | None => {
            let message = "The announced state is not kept any more; a newer one is coming.";
            return Err(CallError::Http(ApiError::unavailable("behind", message)));
        }
    };
    let corrupt = || StoreError::Corrupt("content".to_owned());
    let files = manifest::read_content(&content).ok_or_else(corrupt)?;
    Ok(files
        .into_iter()
        .map(|file| (file.filename.to_string(), file))
        .collect())
}

/// Where `/packages/…` is.
pub(super) fn files_base(app: &App) -> &str {
    match &app.identity.links {
        FileLinks::Relative => &app.settings.public_url,
        FileLinks::At(base) => base,
    }
}

/// What the public index says of a project or release that it does not know.
pub(super) fn nothing() -> Value {
    Value::Struct(BTreeMap::new())
}
