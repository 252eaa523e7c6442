//! A mirror's folder: bandersnatch's or pep381client's `web/`, with pages and files.
//!
//! Reads only, and only below the folder, wherever its pages may point.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lockstep_core::digest::Sha256;
use lockstep_core::name::NormalizedName;
use percent_encoding::percent_decode_str;
use sha2::Digest as _;

use super::{Kind, Pages, Place, Seen, View, Wanted};
use crate::report::Problem;

/// Names under which a page is kept, and what they are called in findings.
const NAMES: [(&str, &str); 3] = [
    ("index.html", "HTML"),
    ("index.v1_html", "HTML v1"),
    ("index.v1_json", "JSON"),
];

/// No page is larger; what is, is no page.
const MAX_PAGE: u64 = 64 * 1024 * 1024;

/// A mirror's folder.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The folder that holds `simple` and `packages`.
    web: PathBuf,
    kind: Option<Kind>,
    pages: Pages,
    /// Whether files are kept here at all: bandersnatch's `release-files = false` leaves them where
    /// `root_uri` points.
    has_files: bool,
    bytes_read: Arc<AtomicU64>,
}

impl Tree {
    /// The mirror in `folder`, which may be its `web`, the one above, or `simple` in it; `None`: there
    /// is none.
    pub fn open(folder: &Path, kind: Option<Kind>) -> Option<Self> {
        // A project may be called `simple`, too; then there is one in `simple`.
        let above = folder
            .parent()
            .filter(|_| folder.ends_with("simple") && !folder.join("packages").is_dir());
        let web = [Some(folder.join("web")), above.map(Path::to_owned)]
            .into_iter()
            .chain([Some(folder.to_owned())])
            .flatten()
            .find(|web| web.join("simple").is_dir())?;
        // Only pep381client keeps signatures; only bandersnatch keeps the legacy JSON.
        let has = |name: &str| web.join(name).is_dir();
        let kind = kind.or_else(|| match () {
            () if has("serversig") => Some(Kind::Pep381),
            () if has("pypi") || has("json") => Some(Kind::Bandersnatch),
            () => None,
        });
        let pages = match kind {
            Some(Kind::Pep381) => Pages::Copied,
            Some(Kind::Bandersnatch) => Pages::Rendered,
            _ => Pages::Either,
        };
        let has_files = has("packages");
        Some(Self {
            web,
            kind,
            pages,
            has_files,
            bytes_read: Arc::default(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.web
    }

    pub(super) fn kind(&self) -> Option<Kind> {
        self.kind
    }

    pub(super) fn pages(&self) -> Pages {
        self.pages
    }

    pub(super) fn bytes_read(&self) -> &Arc<AtomicU64> {
        &self.bytes_read
    }

    pub(super) async fn look(&self, project: &NormalizedName) -> Vec<View> {
        let tree = self.clone();
        let project = project.clone();
        blocking(move || {
            let mut views = tree.read(&project);
            views.extend(tree.legacy(&project));
            views
        })
        .await
    }

    fn read(&self, project: &NormalizedName) -> Vec<View> {
        let simple = self.web.join("simple");
        // bandersnatch's `hash-index` puts a folder with the first letter between.
        let hashed = simple.join(&project.as_str()[..1]).join(project.as_str());
        for folder in [simple.join(project.as_str()), hashed] {
            let views: Vec<View> = NAMES
                .into_iter()
                .filter_map(|(name, label)| {
                    let seen = see(&folder.join(name))?;
                    Some(View { label, seen })
                })
                .collect();
            if !views.is_empty() {
                return views;
            }
        }
        vec![View {
            label: "page",
            seen: Seen::Nothing,
        }]
    }

    /// bandersnatch's copy of the legacy JSON, where it keeps one.
    fn legacy(&self, project: &NormalizedName) -> Option<View> {
        if self.pages != Pages::Rendered {
            return None;
        }
        let link = self.web.join("pypi").join(project.as_str()).join("json");
        let document = self.web.join("json").join(project.as_str());
        let seen = see(&link).or_else(|| see(&document))?;
        let label = "legacy JSON";
        Some(View { label, seen })
    }

    pub(super) fn place(&self, link: &str) -> Place {
        let hosted = link.starts_with("//") || link.contains("://");
        match path_in(link) {
            _ if hosted && !self.has_files => Place::Elsewhere,
            Some(path) => Place::In(path),
            None => Place::Nowhere("the link does not point into packages/".to_owned()),
        }
    }

    pub(super) async fn check(&self, path: &Path, wanted: Wanted) -> Option<(Problem, String)> {
        let path = self.web.join(path);
        let read = self.bytes_read.clone();
        blocking(move || wrong(&path, wanted, &read)).await
    }
}

/// What is at a path.
enum Found {
    Nothing,
    File(fs::File, u64),
    Trouble(String),
}

/// Opens plain files alone: a pipe could be waited for for ever.
fn find(path: &Path) -> Found {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => match fs::File::open(path) {
            Ok(file) => Found::File(file, metadata.len()),
            Err(error) => Found::Trouble(error.to_string()),
        },
        Ok(_) => Found::Trouble("it is no plain file".to_owned()),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            if fs::symlink_metadata(path).is_ok() {
                Found::Trouble("it is a symbolic link that leads nowhere".to_owned())
            } else {
                Found::Nothing
            }
        }
        Err(error) => Found::Trouble(error.to_string()),
    }
}

fn see(path: &Path) -> Option<Seen> {
    let trouble = |why: &str| Some(Seen::Unreadable(format!("{}: {why}", path.display())));
    let (mut file, length) = match find(path) {
        Found::Nothing => return None,
        Found::Trouble(why) => return trouble(&why),
        Found::File(_, length) if length > MAX_PAGE => {
            return trouble(&format!("{length} bytes are no page"));
        }
        Found::File(file, length) => (file, length),
    };
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    match file.read_to_end(&mut bytes) {
        Ok(_) => Some(Seen::Page {
            bytes,
            at: None,
            serial: None,
            claims_copy: false,
        }),
        Err(error) => trouble(&error.to_string()),
    }
}

fn wrong(path: &Path, wanted: Wanted, read: &AtomicU64) -> Option<(Problem, String)> {
    let (file, length) = match find(path) {
        Found::Nothing => return Some((Problem::Missing, "the file is not in the folder".into())),
        Found::Trouble(why) => {
            let why = format!("the file in the folder can't be read: {why}");
            return Some((Problem::Unreadable, why));
        }
        Found::File(file, length) => (file, length),
    };
    if let Some(size) = wanted.size.filter(|size| *size != length) {
        let why = format!("the file in the folder has other bytes: {length}, announced {size}");
        return Some((Problem::Different, why));
    }
    match hash(file, read) {
        Ok(found) if found == wanted.sha256 => None,
        Ok(found) => Some((
            Problem::Different,
            format!("the file in the folder has other bytes: sha256 {found}"),
        )),
        Err(error) => {
            let why = format!("the file in the folder can't be read: {error}");
            Some((Problem::Unreadable, why))
        }
    }
}

/// Where below `web` a link's file is: all mirrors keep the path from `packages/` on, whatever stands
/// before it. `None` for a link that points anywhere else.
fn path_in(url: &str) -> Option<PathBuf> {
    let path = url.split('?').next()?;
    let start = path.find("/packages/")? + 1;
    let path = PathBuf::from(
        percent_decode_str(&path[start..])
            .decode_utf8()
            .ok()?
            .as_ref(),
    );
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
        .then_some(path)
}

/// A file's hash, in constant memory.
fn hash(mut file: fs::File, read: &AtomicU64) -> std::io::Result<Sha256> {
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            let digest: [u8; 32] = hasher.finalize().into();
            return Ok(digest.into());
        }
        read.fetch_add(length as u64, Ordering::Relaxed);
        hasher.update(&buffer[..length]);
    }
}

/// Off the threads that wait for sockets.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_into_packages_and_nowhere_else() {
        let found = |url| path_in(url).map(|path| path.display().to_string());
        let relative = "../../packages/aa/bb/cc/six-1.0%2Bl.tar.gz";
        let expected = Some("packages/aa/bb/cc/six-1.0+l.tar.gz".to_owned());
        assert_eq!(found(relative), expected);
        let hosted = "https://files.example.org/packages/aa/bb/cc/six-1.0+l.tar.gz?x=1";
        assert_eq!(found(hosted), expected);
        for bad in [
            "six.whl",
            "../packages/%2e%2e/%2E./etc/passwd",
            "/packages/../x",
            "",
        ] {
            assert_eq!(found(bad), None, "{bad}");
        }
    }
}
