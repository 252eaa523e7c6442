//! A mirror's folder: bandersnatch's or pep381client's `web/`, with pages and files.
//!
//! Reads only, and only below the folder, wherever its pages may point.

use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use lockstep_core::digest::Sha256;
use lockstep_core::name::NormalizedName;
use percent_encoding::percent_decode_str;
use sha2::Digest as _;

use super::{Kind, Pages, Seen, View};

/// Names under which a page is kept, and what they are called in findings.
const NAMES: [(&str, &str); 3] = [
    ("index.html", "HTML"),
    ("index.v1_html", "HTML v1"),
    ("index.v1_json", "JSON"),
];

/// A mirror's folder.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The folder that holds `simple` and `packages`.
    web: PathBuf,
    pages: Pages,
}

impl Tree {
    /// The mirror in `folder`, which may be its `web` or the one above; `None`: there is none.
    pub fn open(folder: &Path, kind: Option<Kind>) -> Option<Self> {
        let web = [folder.join("web"), folder.to_owned()]
            .into_iter()
            .find(|web| web.join("simple").is_dir())?;
        // Only pep381client keeps signatures; only bandersnatch keeps the legacy JSON.
        let pages = match kind {
            Some(Kind::Pep381) => Pages::Copied,
            Some(Kind::Bandersnatch) => Pages::Rendered,
            _ if web.join("serversig").is_dir() => Pages::Copied,
            _ if web.join("pypi").is_dir() || web.join("json").is_dir() => Pages::Rendered,
            _ => Pages::Either,
        };
        Some(Self { web, pages })
    }

    pub(super) fn pages(&self) -> Pages {
        self.pages
    }

    pub(super) async fn look(&self, project: &NormalizedName) -> Vec<View> {
        let tree = self.clone();
        let project = project.clone();
        blocking(move || tree.read(&project)).await
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

    pub(super) async fn file(&self, url: &str, sha256: Sha256) -> Option<&'static str> {
        let Some(path) = path_in(url) else {
            return Some("the link does not point into packages/");
        };
        let path = self.web.join(path);
        blocking(move || match hash(&path) {
            Ok(found) if found == sha256 => None,
            Ok(_) => Some("the file in the folder has other bytes"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Some("the file is not in the folder")
            }
            Err(_) => Some("the file in the folder can't be read"),
        })
        .await
    }
}

fn see(path: &Path) -> Option<Seen> {
    match fs::read(path) {
        Ok(bytes) => Some(Seen::Page {
            bytes,
            serial: None,
            claims_copy: false,
        }),
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            None
        }
        Err(error) => Some(Seen::Unreadable(format!("{}: {error}", path.display()))),
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
fn hash(path: &Path) -> std::io::Result<Sha256> {
    let mut file = fs::File::open(path)?;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            let digest: [u8; 32] = hasher.finalize().into();
            return Ok(digest.into());
        }
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
