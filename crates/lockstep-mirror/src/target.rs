//! What is audited: a site over HTTP or a mirror's folder. Fetches what is shown; judges no page.

mod folder;
mod place;
mod site;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use lockstep_core::name::NormalizedName;
use lockstep_core::serial::Serial;
use reqwest::Url;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;

pub use folder::Tree;
pub use place::{Place, Wanted};
pub use site::Site;
pub(crate) use site::public;

use crate::fetch::FetchError;
use crate::report::Problem;

/// What kind of thing a target is, where it is not to be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A cache in front of the index: the same bytes.
    Edge,
    /// A mirror over HTTP: the same bytes, or its own rendering. It may keep removed projects.
    Mirror,
    /// A bandersnatch folder: its own rendering.
    Bandersnatch,
    /// A pep381client folder: the same bytes.
    Pep381,
    /// A devpi mirror index over HTTP, `…/+simple/`: its own rendering.
    Devpi,
}

const KINDS: [(&str, Kind); 5] = [
    ("edge", Kind::Edge),
    ("mirror", Kind::Mirror),
    ("bandersnatch", Kind::Bandersnatch),
    ("pep381", Kind::Pep381),
    ("devpi", Kind::Devpi),
];

/// A text that is no kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of target: expected edge, mirror, bandersnatch, pep381 or devpi")]
pub struct KindError(String);

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        let found = KINDS.into_iter().find(|(word, _)| *word == text);
        found
            .map(|(_, kind)| kind)
            .ok_or_else(|| KindError(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = KINDS.into_iter().find(|(_, kind)| kind == self);
        f.write_str(word.map_or("", |(word, _)| word))
    }
}

/// How a target comes to its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// It copies their bytes.
    Copied,
    /// It renders its own.
    Rendered,
    /// Not known beforehand: it copies if any of its pages is a copy.
    Either,
}

/// What is audited.
#[derive(Debug, Clone)]
pub enum Target {
    /// Over HTTP.
    Site(Site),
    /// In the file system.
    Folder(Tree),
}

/// One representation of a project's page, as found.
#[derive(Debug, Clone)]
pub struct View {
    /// Which, for people.
    pub label: &'static str,
    /// What was there.
    pub seen: Seen,
}

/// A project's page in all its representations, as found.
#[derive(Debug)]
pub struct Sight {
    /// One for each.
    pub views: Vec<View>,
    /// What their bytes take of the memory for very large pages; given back with them.
    pub room: Option<OwnedSemaphorePermit>,
}

/// What was found.
#[derive(Debug, Clone)]
pub enum Seen {
    /// No page.
    Nothing,
    /// A page.
    Page {
        /// Its bytes, without any coding.
        bytes: Vec<u8>,
        /// Where redirects led, over HTTP: its links start there.
        at: Option<Url>,
        /// The serial told beside it, in a header.
        serial: Option<Serial>,
        /// Whether it comes with the index's own digest, so that it must be a copy.
        claims_copy: bool,
    },
    /// No answer that can be judged, and why.
    Unreadable(String),
}

/// A target that can't be audited.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Neither a URL nor a folder.
    #[error("`{0}` is neither an http(s) address nor a folder here")]
    Neither(String),
    /// A folder without a mirror in it.
    #[error(
        "{} is no mirror: looked for a folder `simple` in it or in `web` below it, with pages as \
         bandersnatch or pep381client keep them", .0.display()
    )]
    NoMirror(PathBuf),
    /// A kind that this target can't be.
    #[error("--kind {kind} does not fit {target}: {expected}")]
    Kind {
        /// The kind asked for.
        kind: Kind,
        /// The target given.
        target: String,
        /// What it would take.
        expected: &'static str,
    },
    /// A site that is not there.
    #[error("can't reach {url}; is it running, and is the address right?")]
    Unreachable {
        /// Where.
        url: Url,
        /// Why.
        source: FetchError,
    },
}

impl TargetError {
    /// Whether the command line is at fault and not the world.
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Unreachable { .. })
    }
}

/// Where it is, as it may be shown.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site(site) => public(site.url()).fmt(f),
            Self::Folder(tree) => tree.path().display().fmt(f),
        }
    }
}

impl Target {
    /// Finds out what `target` is, or takes `kind`'s word for it.
    pub fn open(target: &str, kind: Option<Kind>) -> Result<Self, TargetError> {
        let misfit = |kind, expected| TargetError::Kind {
            kind,
            target: target.to_owned(),
            expected,
        };
        let url = Url::parse(target).ok();
        if let Some(url) = url.filter(|url| matches!(url.scheme(), "http" | "https")) {
            return match kind {
                Some(kind @ (Kind::Bandersnatch | Kind::Pep381)) => {
                    Err(misfit(kind, "it needs the mirror's folder"))
                }
                _ => Ok(Self::Site(Site::new(url, kind))),
            };
        }
        let folder = Path::new(target);
        match kind {
            Some(kind @ (Kind::Edge | Kind::Devpi)) => {
                Err(misfit(kind, "it needs an http(s) address"))
            }
            _ if !folder.is_dir() => Err(TargetError::Neither(target.to_owned())),
            _ => Tree::open(folder, kind)
                .map(Self::Folder)
                .ok_or_else(|| TargetError::NoMirror(folder.to_owned())),
        }
    }

    /// Fails when nothing at all is there.
    pub async fn reach(&self) -> Result<(), TargetError> {
        match self {
            Self::Site(site) => site.reach().await,
            Self::Folder(_) => Ok(()),
        }
    }

    /// How it comes to its pages.
    pub fn pages(&self) -> Pages {
        match self {
            Self::Site(site) => site.pages(),
            Self::Folder(tree) => tree.pages(),
        }
    }

    /// What it is, as far as that is known.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Site(site) => site.kind(),
            Self::Folder(tree) => tree.kind(),
        }
    }

    /// Whether it may go on showing a project that the index removed. Mirrors may; a cache shows an
    /// old page then.
    pub fn keeps_removed(&self) -> bool {
        match self {
            Self::Site(site) => matches!(site.kind(), Some(Kind::Mirror | Kind::Devpi)),
            Self::Folder(_) => true,
        }
    }

    /// Whether it has the metadata documents that its pages promise. pep381client is older than they
    /// are: it copies the promise and not the documents.
    pub fn keeps_metadata(&self) -> bool {
        match self {
            Self::Site(_) => true,
            Self::Folder(tree) => tree.pages() == Pages::Rendered,
        }
    }

    /// How many projects to look at together.
    pub fn concurrency(&self) -> usize {
        match self {
            Self::Site(_) => 32,
            // Disks gain nothing from more, and hashing takes a core each.
            Self::Folder(_) => 4,
        }
    }

    /// How many bytes of files were read so far.
    pub fn bytes_read(&self) -> &Arc<AtomicU64> {
        match self {
            Self::Site(site) => site.bytes_read(),
            Self::Folder(tree) => tree.bytes_read(),
        }
    }

    /// Every representation of a project's page.
    pub async fn look(&self, project: &NormalizedName) -> Sight {
        match self {
            Self::Site(site) => site.look(project).await,
            Self::Folder(tree) => {
                let views = tree.look(project).await;
                Sight { views, room: None }
            }
        }
    }

    /// Where a link of the page at `page` leads.
    pub fn place(&self, page: Option<&Url>, link: &str) -> Place {
        match self {
            Self::Site(site) => site.place(page, link),
            Self::Folder(tree) => tree.place(link),
        }
    }

    /// Reads the file at a place, and says what is wrong with it.
    pub async fn check(&self, place: &Place, wanted: Wanted) -> Option<(Problem, String)> {
        match (self, place) {
            (_, Place::Nowhere(why)) => Some((Problem::Different, why.clone())),
            (Self::Site(site), Place::At(url)) => site.check(url, wanted).await,
            (Self::Folder(tree), Place::In(path)) => tree.check(path, wanted).await,
            // Kept elsewhere; a target makes no place of the other kind.
            _ => None,
        }
    }
}
