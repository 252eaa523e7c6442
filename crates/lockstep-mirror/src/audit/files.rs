//! The files behind a project's page: each where the page links it, byte for byte what was announced.
//!
//! What a file must be is the announced page's word and never the mirror's own. A page that is an
//! exact copy has been hashed and is that word; for any other the index is asked. Files that a page
//! names beyond those announced are the page's matter, or kept on purpose, and are not fetched: so a
//! hostile page makes no more work than the announced one.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use lockstep_core::digest::Sha256;
use reqwest::Url;

use crate::changelog::Page;
use crate::index::{Index, IndexError};
use crate::report::{FileFinding, Problem};
use crate::shown::{self, CoreMetadata, ShownFile};
use crate::target::{Place, Seen, Target, View, Wanted};

/// Files of one project that are read together.
const TOGETHER: usize = 4;

/// What the pages of a project say of its files.
pub(super) struct Links {
    /// Each file, each place where a page puts it, and what the pages promise beside it there. Pages
    /// that agree lead to one place, which is read once.
    places: BTreeMap<(String, Place), BTreeSet<CoreMetadata>>,
    /// The files as announced, where an exact copy tells them.
    announced: Option<Vec<ShownFile>>,
}

/// Reads all links from a project's pages.
pub(super) fn links(target: &Target, page: &Page, views: &[View]) -> Links {
    let mut seen = BTreeSet::new();
    let mut links = Links {
        places: BTreeMap::new(),
        announced: None,
    };
    for view in views {
        let Seen::Page { bytes, at, .. } = &view.seen else {
            continue;
        };
        let sha256 = Sha256::of(bytes);
        // The codings of a page are one page.
        if !seen.insert((at.clone(), sha256)) {
            continue;
        }
        let Some(shown) = shown::read(bytes) else {
            continue;
        };
        links.add(target, at.as_ref(), &shown.files);
        // Over HTTP the sizes are needed, too, and only JSON has them.
        let enough = match target {
            Target::Site(_) => sha256 == page.json.sha256,
            Target::Folder(_) => page.is(sha256),
        };
        if enough {
            links.announced = Some(shown.files);
        }
    }
    links
}

impl Links {
    fn add(&mut self, target: &Target, at: Option<&Url>, files: &[ShownFile]) {
        for file in files {
            let place = target.place(at, &file.url);
            let key = (file.filename.clone(), place);
            self.places.entry(key).or_default().insert(file.metadata);
        }
    }

    /// Reads every announced file that is linked, and tells what is wrong.
    pub(super) async fn check(
        self,
        index: &Index,
        target: &Target,
        page: &Page,
    ) -> Result<Vec<FileFinding>, IndexError> {
        if self.places.is_empty() {
            return Ok(Vec::new());
        }
        let announced = match self.announced {
            Some(files) => files,
            None => index.files(page).await?,
        };
        let announced = announced
            .into_iter()
            .map(|file| (file.filename.clone(), file));
        let announced: BTreeMap<_, _> = announced.collect();
        let mut errands = Vec::new();
        let mut findings = BTreeSet::new();
        for ((filename, place), promises) in self.places {
            let Some(file) = announced.get(&filename) else {
                continue;
            };
            let document = format!("{filename}.metadata");
            for promise in promises {
                match metadata(promise, file.metadata) {
                    Promise::Nothing => {}
                    Promise::Wrong(why) => {
                        findings.insert((document.clone(), Problem::Different, why));
                    }
                    Promise::Document(sha256) => {
                        let wanted = Wanted { sha256, size: None };
                        errands.push((document.clone(), place.metadata(), wanted));
                    }
                }
            }
            if let Some(sha256) = file.sha256 {
                let size = file.size;
                errands.push((filename, place, Wanted { sha256, size }));
            }
        }
        // Two promises of one document are one errand.
        errands.dedup();
        let mut answers = stream::iter(errands)
            .map(async |(file, place, wanted)| (file, target.check(&place, wanted).await))
            .buffer_unordered(TOGETHER);
        while let Some((file, answer)) = answers.next().await {
            if let Some((problem, detail)) = answer
                && !is_older_than_metadata(target, &file, problem)
            {
                findings.insert((file, problem, detail));
            }
        }
        let finding = |(file, problem, detail)| FileFinding {
            file,
            problem,
            detail,
        };
        Ok(findings.into_iter().map(finding).collect())
    }
}

/// What a page's promise of metadata comes to.
enum Promise {
    Nothing,
    /// There must be a document with this hash.
    Document(Sha256),
    /// It is another promise than the announced one.
    Wrong(String),
}

fn metadata(shown: CoreMetadata, announced: CoreMetadata) -> Promise {
    match (shown, announced) {
        (CoreMetadata::Absent, _) => Promise::Nothing,
        (CoreMetadata::Hashed(shown), CoreMetadata::Hashed(announced)) if shown != announced => {
            Promise::Wrong(format!(
                "the page says sha256 {shown}, announced {announced}"
            ))
        }
        (_, CoreMetadata::Hashed(announced)) => Promise::Document(announced),
        _ => Promise::Wrong("the page promises it, and the index has none".to_owned()),
    }
}

/// A copied promise of a document that the copying mirror never heard of.
fn is_older_than_metadata(target: &Target, file: &str, problem: Problem) -> bool {
    problem == Problem::Missing && file.ends_with(".metadata") && !target.keeps_metadata()
}
