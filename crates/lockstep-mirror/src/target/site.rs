//! A site over HTTP: an edge, or a mirror that serves simple pages.

use lockstep_core::name::NormalizedName;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING};
use reqwest::{Client, StatusCode, Url};

use super::{Kind, Pages, Seen, TargetError, View};
use crate::fetch;

const HTML: &str = "text/html";
const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// The ways in which a cache keeps a page apart, any of which may be old alone.
const VARIANTS: [(&str, &str, &str); 4] = [
    ("HTML", HTML, "identity"),
    ("JSON", JSON, "identity"),
    ("HTML gzip", HTML, "gzip"),
    ("JSON gzip", JSON, "gzip"),
];

/// A site.
#[derive(Debug, Clone)]
pub struct Site {
    client: Client,
    simple: Url,
    pages: Pages,
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
        let pages = match kind {
            Some(Kind::Edge) => Pages::Copied,
            _ if devpi => Pages::Rendered,
            _ => Pages::Either,
        };
        Self {
            client: fetch::client(),
            simple: url,
            pages,
        }
    }

    pub(super) fn pages(&self) -> Pages {
        self.pages
    }

    pub(super) async fn reach(&self) -> Result<(), TargetError> {
        // Any answer will do: not every mirror has a list.
        match fetch::send(self.client.head(self.simple.clone())).await {
            Ok(_) => Ok(()),
            Err(source) => Err(TargetError::Unreachable {
                url: self.simple.clone(),
                source,
            }),
        }
    }

    pub(super) async fn look(&self, project: &NormalizedName) -> Vec<View> {
        // Who renders pages keeps one state; its codings can't drift apart.
        let count = if self.pages == Pages::Rendered { 2 } else { 4 };
        let mut views = Vec::with_capacity(count);
        for (label, accept, coding) in VARIANTS.into_iter().take(count) {
            let seen = self.see(project, accept, coding).await;
            views.push(View { label, seen });
        }
        views
    }

    async fn see(&self, project: &NormalizedName, accept: &str, coding: &str) -> Seen {
        let Ok(url) = self.simple.join(&format!("{project}/")) else {
            return Seen::Unreadable("its address can't be formed".to_owned());
        };
        let request = self.client.get(url).header(ACCEPT, accept);
        let answer = match fetch::send(request.header(ACCEPT_ENCODING, coding)).await {
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
                }
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => Seen::Nothing,
            other => Seen::Unreadable(format!("the answer {other}")),
        }
    }
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
}
