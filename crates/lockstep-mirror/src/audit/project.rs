//! One project: its page as found, held against the index's word; then its files.
//!
//! The index is asked for no more than the judgement needs: nothing for an exact copy, the content
//! for a page that was rendered again, the history for what is not plainly right.

use lockstep_core::digest::Sha256;
use lockstep_core::name::NormalizedName;
use tokio::sync::OnceCell;

use super::files;
use crate::changelog::{Change, Expected};
use crate::index::{Index, IndexError};
use crate::judge::{self, Judgement};
use crate::manifest::{Line, differences};
use crate::report::{State, Verdict};
use crate::shown::{self, Shown};
use crate::target::{Pages, Seen, Target, View};

/// A project, looked at and judged.
pub(super) struct Looked {
    verdict: Verdict,
    /// How it is judged instead if it turns out that this target copies pages.
    unless_copied: Option<Box<Verdict>>,
    /// Whether any representation is a copy of a page of the index.
    pub(super) has_copy: bool,
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

/// Looks at a project, judges each representation by itself, and then the files; those only if
/// `with_files`.
pub(super) async fn look(
    index: &Index,
    target: &Target,
    project: NormalizedName,
    expected: Expected,
    with_files: bool,
) -> Result<Looked, IndexError> {
    let sight = target.look(&project).await;
    let word = Word {
        index,
        project: &project,
        expected: &expected,
        history: OnceCell::new(),
        content: OnceCell::new(),
    };
    let mut views = Vec::with_capacity(sight.views.len());
    for view in &sight.views {
        views.push(judge_view(&word, view, target).await?);
    }
    // A project that is gone has no files that must be there.
    let page = expected.page.filter(|_| with_files);
    let links = page.map(|page| files::links(target, &page, &sight.views));
    // Pages may be large, and files take long.
    drop(sight);
    let files = match (page, links) {
        (Some(page), Some(links)) => links.check(index, target, &page).await?,
        _ => Vec::new(),
    };
    let has_copy = views.iter().any(|view| view.copy);
    let depends = views.iter().any(|view| view.unless_copied.is_some());
    let verdict = |copies| {
        let verdict = worst(project.clone(), &views, copies);
        verdict.with_files(files.clone(), expected.serial())
    };
    Ok(Looked {
        unless_copied: depends.then(|| Box::new(verdict(true))),
        verdict: verdict(false),
        has_copy,
    })
}

/// The worst of all representations.
fn worst(project: NormalizedName, views: &[Judged], copies: bool) -> Verdict {
    let judgements = views.iter().map(|view| {
        let judgement = match &view.unless_copied {
            Some(as_copy) if copies => as_copy,
            _ => &view.judgement,
        };
        (view.label, judgement.clone())
    });
    let (of, state, findings) = judge::worst(judgements);
    Verdict {
        project,
        of: if of.len() == views.len() {
            Vec::new()
        } else {
            of
        },
        state,
        findings,
        files: Vec::new(),
    }
}

impl Looked {
    /// The verdict, when it is known whether the target copies pages.
    pub(super) fn verdict(self, copies: bool) -> Verdict {
        match self.unless_copied {
            Some(as_copy) if copies => *as_copy,
            _ => self.verdict,
        }
    }
}

async fn judge_view(word: &Word<'_>, view: &View, target: &Target) -> Result<Judged, IndexError> {
    let (expected, pages) = (word.expected, target.pages());
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
        // A project in quarantine is in no list, and one whose releases are gone has nothing to copy:
        // a mirror need not have such a page.
        Seen::Nothing if target.keeps_removed() && expected.lists_nothing() => {
            let serial = expected.serial();
            return Ok(judged((State::Exact { serial }, Vec::new())));
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
            ..
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
        let state = match expected.page {
            None if target.keeps_removed() => State::Exact {
                serial: expected.serial(),
            },
            _ => state,
        };
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
