//! One project: its page as found, held against the index's word; then its files.
//!
//! The index is asked for no more than the judgement needs: nothing for an exact copy, the content
//! for a page that was rendered again, the history for what is not plainly right.

use std::collections::BTreeMap;

use lockstep_core::digest::Sha256;
use lockstep_core::name::NormalizedName;
use lockstep_core::serial::Serial;
use tokio::sync::OnceCell;

use crate::changelog::{Change, Expected, Index, IndexError};
use crate::judge::{self, Judgement};
use crate::manifest::{Line, differences};
use crate::report::{State, Verdict};
use crate::shown::{self, Shown};
use crate::target::{Pages, Seen, Target, View};

/// A project, looked at.
pub(super) struct Looked {
    pub(super) project: NormalizedName,
    announced: Serial,
    views: Vec<Judged>,
    /// What is wrong with files on disk.
    files: Vec<String>,
}

/// A representation, judged.
struct Judged {
    label: &'static str,
    judgement: Judgement,
    /// How it is judged instead if it turns out that this target copies pages.
    unless_copied: Option<Judgement>,
    copy: bool,
}

/// What the index can tell of one project, each asked for once and only when needed.
struct Word<'a> {
    index: &'a Index,
    project: &'a NormalizedName,
    expected: &'a Expected,
    history: OnceCell<Vec<Change>>,
    content: OnceCell<Vec<Line>>,
}

impl Word<'_> {
    async fn history(&self) -> Result<&[Change], IndexError> {
        let ask = || self.index.history(self.project);
        Ok(self.history.get_or_try_init(ask).await?)
    }

    async fn content(&self) -> Result<&[Line], IndexError> {
        if self.expected.page.is_none() {
            return Ok(&[]);
        }
        let ask = || self.index.content(self.expected);
        Ok(self.content.get_or_try_init(ask).await?)
    }
}

/// Looks at a project and judges each representation by itself.
pub(super) async fn look(
    index: &Index,
    target: &Target,
    project: NormalizedName,
    expected: Expected,
) -> Result<Looked, IndexError> {
    let seen = target.look(&project).await;
    let word = Word {
        index,
        project: &project,
        expected: &expected,
        history: OnceCell::new(),
        content: OnceCell::new(),
    };
    let mut views = Vec::with_capacity(seen.len());
    for view in &seen {
        views.push(judge_view(&word, view, target.pages()).await?);
    }
    let files = match (target, readable(&seen)) {
        (Target::Folder(_), Some(page)) => files(&word, target, &page).await?,
        _ => Vec::new(),
    };
    let announced = expected.serial();
    Ok(Looked {
        project,
        announced,
        views,
        files,
    })
}

fn readable(views: &[View]) -> Option<Shown> {
    views.iter().find_map(|view| match &view.seen {
        Seen::Page { bytes, .. } => shown::read(bytes),
        _ => None,
    })
}

async fn judge_view(word: &Word<'_>, view: &View, pages: Pages) -> Result<Judged, IndexError> {
    let expected = word.expected;
    let judged = |judgement| Judged {
        label: view.label,
        judgement,
        unless_copied: None,
        copy: false,
    };
    let (bytes, serial, claims_copy) = match &view.seen {
        Seen::Unreadable(why) => {
            let announced = expected.serial();
            return Ok(judged((State::Unreadable { announced }, vec![why.clone()])));
        }
        Seen::Nothing => {
            // Asked only about a page that should be there.
            let history = match expected.page {
                Some(_) => word.history().await?,
                None => &[],
            };
            return Ok(judged((judge::nothing(expected, history), Vec::new())));
        }
        Seen::Page {
            bytes,
            serial,
            claims_copy,
        } => (bytes, serial, claims_copy),
    };
    let sha256 = Sha256::of(bytes);
    if let Some(page) = expected.page.filter(|page| page.is(sha256)) {
        let exact = State::Exact {
            serial: page.serial,
        };
        return Ok(Judged {
            copy: true,
            ..judged((exact, Vec::new()))
        });
    }
    let shown = shown::read(bytes).map(|shown| Shown {
        serial: shown.serial.or(*serial),
        ..shown
    });
    // The common case of a mirror that renders costs no look into the history.
    if pages == Pages::Rendered
        && let Some(shown) = &shown
        && plainly_right(expected, word.content().await?, shown)
    {
        let serial = expected.serial();
        return Ok(judged((State::Exact { serial }, Vec::new())));
    }
    let history = word.history().await?;
    if let Some(state) = judge::bytes(expected, history, sha256) {
        return Ok(Judged {
            copy: true,
            ..judged((state, Vec::new()))
        });
    }
    let as_copy = judge::unknown_bytes(expected, sha256);
    let Some(shown) = shown.filter(|_| pages != Pages::Copied && !claims_copy) else {
        return Ok(judged(as_copy));
    };
    let as_rendered = judge::content(expected, word.content().await?, history, &shown);
    Ok(Judged {
        unless_copied: Some(as_copy),
        ..judged(as_rendered)
    })
}

fn plainly_right(expected: &Expected, announced: &[Line], shown: &Shown) -> bool {
    let differences = differences(announced, &shown.files);
    let serial = shown
        .serial
        .is_none_or(|serial| serial == expected.serial());
    expected.page.is_some()
        && serial
        && differences.wrong.is_empty()
        && differences.further.is_empty()
}

/// Every announced file that the page links to, on disk, byte for byte. A file that the page does not
/// link to is a matter of the page.
async fn files(word: &Word<'_>, target: &Target, page: &Shown) -> Result<Vec<String>, IndexError> {
    let links: BTreeMap<&str, &str> = page
        .files
        .iter()
        .map(|file| (file.filename.as_str(), file.url.as_str()))
        .collect();
    let mut findings = Vec::new();
    for Line(filename, sha256, ..) in word.content().await? {
        if let Some(url) = links.get(filename.as_str())
            && let Some(wrong) = target.file(url, *sha256).await
        {
            findings.push(format!("{filename}: {wrong}"));
        }
    }
    Ok(findings)
}

impl Looked {
    /// Whether any representation is a copy of a page of the index.
    pub(super) fn has_copy(&self) -> bool {
        self.views.iter().any(|view| view.copy)
    }

    /// The worst of all representations, and of the files.
    pub(super) fn verdict(self, copies: bool) -> Verdict {
        let count = self.views.len();
        let judgements = self.views.into_iter().map(|view| {
            let judgement = match view.unless_copied {
                Some(as_copy) if copies => as_copy,
                _ => view.judgement,
            };
            (view.label, judgement)
        });
        let (of, mut state, mut findings) = judge::worst(judgements);
        if state.is_fine() && !self.files.is_empty() {
            let announced = self.announced;
            state = State::Different { announced };
        }
        findings.extend(self.files);
        Verdict {
            project: self.project,
            of: if of.len() == count { Vec::new() } else { of },
            state,
            findings,
        }
    }
}
