//! A site over HTTP: an edge, or a mirror that serves simple pages.
//!
//! What it says is not trusted: links are followed over HTTP alone, to any host, as every installer
//! would; what comes is bounded, hashed, and never shown.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use lockstep_core::name::NormalizedName;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING};
use reqwest::{Client, StatusCode, Url};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Kind, Pages, Place, Seen, Sight, TargetError, View, Wanted};
use crate::fetch::{self, Digested, FetchError, Length};
use crate::report::Problem;

const HTML: &str = "text/html";
const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// The ways in which a cache keeps a page apart, any of which may be old alone.
const VARIANTS: [(&str, &str, &str); 4] = [
    ("HTML", HTML, "identity"),
    ("JSON", JSON, "identity"),
    ("HTML gzip", HTML, "gzip"),
    ("JSON gzip", JSON, "gzip"),
];

/// Most pages are smaller, so that many can be held together.
const SMALL_PAGE: usize = 4 * 1024 * 1024;

/// No page is larger. Those between are looked at one after the other.
const LARGE_PAGE: usize = 64 * 1024 * 1024;

/// How long a page may take in all.
const PAGE_TIMEOUT: Duration = Duration::from_secs(120);

/// How long a file may take, and how many bytes a second it must bring beyond that.
const FILE_TIMEOUT: Duration = Duration::from_secs(60);
const FILE_RATE: u64 = 64 * 1024;

/// No metadata document is larger; their sizes are not announced.
const MAX_METADATA: u64 = 64 * 1024 * 1024;

/// Files fetched together.
const DOWNLOADS: usize = 16;

/// A site.
#[derive(Debug, Clone)]
pub struct Site {
    client: Client,
    simple: Url,
    kind: Option<Kind>,
    pages: Pages,
    /// Who looks at a large page.
    large: Arc<Semaphore>,
    downloads: Arc<Semaphore>,
    bytes_read: Arc<AtomicU64>,
}

impl Site {
    /// The site at `url`: the address above `/simple/`, or that of its list of projects.
    pub fn new(mut url: Url, kind: Option<Kind>) -> Self {
        let mut path = url.path().trim_end_matches('/').to_owned();
        let last = path.rsplit('/').next().unwrap_or_default();
        let devpi = kind == Some(Kind::Devpi) || last == "+simple";
        if !matches!(last, "simple" | "+simple") {
            path.push_str(if devpi { "/+simple" } else { "/simple" });
        }
        path.push('/');
        url.set_path(&path);
        let kind = if devpi { Some(Kind::Devpi) } else { kind };
        let pages = match kind {
            Some(Kind::Edge) => Pages::Copied,
            Some(Kind::Devpi) => Pages::Rendered,
            _ => Pages::Either,
        };
        Self {
            client: fetch::client(),
            simple: url,
            kind,
            pages,
            large: Arc::new(Semaphore::new(1)),
            downloads: Arc::new(Semaphore::new(DOWNLOADS)),
            bytes_read: Arc::default(),
        }
    }

    /// Where its list of projects is.
    pub(super) fn url(&self) -> &Url {
        &self.simple
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

    pub(super) async fn reach(&self) -> Result<(), TargetError> {
        // Any answer will do: not every mirror has a list.
        match fetch::send(self.client.head(self.simple.clone()), SMALL_PAGE).await {
            Ok(_) => Ok(()),
            Err(source) => Err(TargetError::Unreachable {
                url: public(&self.simple),
                source,
            }),
        }
    }

    pub(super) async fn look(&self, project: &NormalizedName) -> Sight {
        // Who renders pages keeps one state; its codings can't drift apart.
        let count = if self.pages == Pages::Rendered { 2 } else { 4 };
        let mut views = Vec::with_capacity(count);
        let mut room = None;
        for (label, accept, coding) in VARIANTS.into_iter().take(count) {
            let seen = self.see(project, accept, coding, &mut room).await;
            views.push(View { label, seen });
        }
        Sight { views, room }
    }

    async fn see(
        &self,
        project: &NormalizedName,
        accept: &str,
        coding: &str,
        room: &mut Option<OwnedSemaphorePermit>,
    ) -> Seen {
        let Ok(url) = self.simple.join(&format!("{project}/")) else {
            return Seen::Unreadable("its address can't be formed".to_owned());
        };
        let request = || {
            let request = self.client.get(url.clone()).timeout(PAGE_TIMEOUT);
            let request = request.header(ACCEPT, accept);
            request.header(ACCEPT_ENCODING, coding)
        };
        let mut answer = fetch::send(request(), SMALL_PAGE).await;
        if let Err(FetchError::TooLarge(_)) = answer {
            // Held by one project at a time, which never asks twice: nobody waits for ever.
            if room.is_none() {
                *room = self.large.clone().acquire_owned().await.ok();
            }
            answer = fetch::send(request(), LARGE_PAGE).await;
        }
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Seen::Unreadable(error.to_string()),
        };
        let header = |name: &str| answer.headers.get(name)?.to_str().ok();
        match answer.status {
            StatusCode::OK => {
                // The client has undone gzip and taken the header away; another coding was not asked
                // for, and hashing it would tell nothing.
                if let Some(coding) = header(CONTENT_ENCODING.as_str())
                    && coding != "identity"
                {
                    return Seen::Unreadable(format!("an answer in the coding {coding}"));
                }
                Seen::Page {
                    serial: header("x-pypi-last-serial").and_then(|text| text.parse().ok()),
                    claims_copy: header("unencoded-digest").is_some(),
                    bytes: answer.body,
                    at: Some(answer.url),
                }
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => Seen::Nothing,
            other => Seen::Unreadable(format!("the answer {other}")),
        }
    }

    pub(super) fn place(&self, page: Option<&Url>, link: &str) -> Place {
        let Ok(mut url) = page.unwrap_or(&self.simple).join(link) else {
            return Place::Nowhere("the link is no address".to_owned());
        };
        if !matches!(url.scheme(), "http" | "https") {
            let scheme: String = url.scheme().chars().take(20).collect();
            return Place::Nowhere(format!("the link is {scheme}: and not http or https"));
        }
        // Credentials that were given for this site are for this site.
        if url.origin() == self.simple.origin() {
            let password = self.simple.password();
            // Both fail only for addresses without a host, which http does not have.
            let _ = url.set_username(self.simple.username());
            let _ = url.set_password(password);
        }
        Place::At(url)
    }

    pub(super) async fn check(&self, url: &Url, wanted: Wanted) -> Option<(Problem, String)> {
        let _turn = self.downloads.acquire().await;
        let length = match wanted.size {
            Some(size) => Length::Exactly(size),
            None => Length::AtMost(MAX_METADATA),
        };
        let patience = FILE_TIMEOUT + Duration::from_secs(wanted.size.unwrap_or(0) / FILE_RATE);
        let request = self.client.get(url.clone()).timeout(patience);
        let request = request.header(ACCEPT_ENCODING, "identity");
        let at = public(url);
        let (problem, detail) = match fetch::digest(request, length, &self.bytes_read).await {
            Ok(Digested::As(found)) if found == wanted.sha256 => return None,
            Ok(Digested::As(found)) => {
                let detail = format!("other bytes at {at}: sha256 {found}");
                (Problem::Different, detail)
            }
            Ok(Digested::OtherLength(seen)) => {
                let detail = match length {
                    Length::Exactly(size) => format!("{seen} bytes, announced {size}"),
                    Length::AtMost(most) => format!("{seen} bytes, more than {most}"),
                };
                (Problem::Different, format!("other bytes at {at}: {detail}"))
            }
            Ok(Digested::Status(status)) => match status {
                StatusCode::NOT_FOUND | StatusCode::GONE => {
                    (Problem::Missing, format!("not at {at}: {status}"))
                }
                _ => (Problem::Unreadable, format!("{at}: the answer {status}")),
            },
            Err(error) => (Problem::Unreadable, format!("{at}: {error}")),
        };
        Some((problem, detail))
    }
}

/// An address as it may be shown: without a password.
pub(crate) fn public(url: &Url) -> Url {
    let mut url = url.clone();
    // As above, these can't fail for http.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_projects_is_found_from_either_address() {
        for (given, kind, simple) in [
            ("http://pop", None, "http://pop/simple/"),
            ("http://pop/simple/", None, "http://pop/simple/"),
            ("http://pop/pypi/", None, "http://pop/pypi/simple/"),
            (
                "http://devpi/team/m/+simple",
                None,
                "http://devpi/team/m/+simple/",
            ),
            (
                "http://devpi/team/m",
                Some(Kind::Devpi),
                "http://devpi/team/m/+simple/",
            ),
        ] {
            let site = Site::new(given.parse().expect("a URL"), kind);
            assert_eq!(site.simple.as_str(), simple);
        }
    }

    #[test]
    fn links_are_followed_over_http_and_take_no_password_along() {
        let site = Site::new("http://me:secret@pop/simple/".parse().expect("a URL"), None);
        let page: Url = "http://pop/simple/six/".parse().expect("a URL");
        let at = |text: &str| Place::At(text.parse().expect("a URL"));
        for (link, place) in [
            (
                "../../packages/a/six.whl",
                at("http://me:secret@pop/packages/a/six.whl"),
            ),
            (
                "https://files.example.org/six.whl",
                at("https://files.example.org/six.whl"),
            ),
            ("//pop:81/six.whl", at("http://pop:81/six.whl")),
        ] {
            assert_eq!(site.place(Some(&page), link), place);
        }
        for link in [
            "file:///etc/passwd",
            "ftp://pop/six.whl",
            "data:,six",
            "http://[",
        ] {
            let place = site.place(Some(&page), link);
            assert!(matches!(place, Place::Nowhere(_)), "{link}: {place:?}");
        }
        let shown = public(&site.simple);
        assert_eq!(shown.as_str(), "http://pop/simple/");
    }
}
