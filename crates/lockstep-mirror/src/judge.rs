//! The rules: how what is shown stands to what was announced. Pure.
//!
//! Bytes are judged first: a page whose hash the changelog knows *is* the page of that serial,
//! whoever serves it. Only where pages are rendered again are they judged by their content, and then
//! by the serial they claim: that a mirror's files happen to be right does not make an old page new.
//!
//! Every function takes the project's history up to the last commit, read *after* the page: a page
//! that changed during the audit is then newer and not strange.

use std::collections::BTreeSet;

use lockstep_core::digest::Sha256;
use lockstep_core::serial::Serial;

use crate::changelog::{Change, Expected};
use crate::manifest::{Line, content_hash, differences};
use crate::report::{Behind, State};
use crate::shown::Shown;

/// A state, and what precisely is wrong.
pub type Judgement = (State, Vec<String>);

/// There is no page. Fine where the project is gone, by now at least.
pub fn nothing(expected: &Expected, history: &[Change]) -> State {
    let announced = expected.serial();
    match history.last() {
        _ if expected.page.is_none() => State::Exact { serial: announced },
        Some(last) if last.page.is_none() && last.serial > announced => State::Newer {
            serial: last.serial,
        },
        _ => State::Missing { announced },
    }
}

/// A page with these bytes. `None` when they were never any page of this project.
pub fn bytes(expected: &Expected, history: &[Change], sha256: Sha256) -> Option<State> {
    let shown = history
        .iter()
        .filter_map(|change| change.page)
        .find(|page| page.is(sha256))?;
    Some(at(expected, history, shown.serial))
}

/// What to say of bytes that no hash explains.
pub fn unknown_bytes(expected: &Expected, sha256: Sha256) -> Judgement {
    let announced = expected.serial();
    let finding = format!("a page with sha256 {sha256}, which the index never announced");
    (State::Different { announced }, vec![finding])
}

/// A page that was rendered again: by its files, and the serial that it claims.
pub fn content(
    expected: &Expected,
    announced: &[Line],
    history: &[Change],
    shown: &Shown,
) -> Judgement {
    let differences = differences(announced, &shown.files);
    let known = ever(history);
    let mut wrong = differences.wrong;
    for (filename, sha256) in &differences.further {
        // Mirrors keep what the index removed.
        if !sha256.is_some_and(|sha256| known.contains(&(filename, sha256))) {
            wrong.push(format!("lists {filename}, which the index never had"));
        }
    }
    let own = expected.serial();
    if expected.page.is_none() && wrong.is_empty() {
        // A mirror may keep a whole project, too.
        return (State::Exact { serial: own }, wrong);
    }
    let different = |wrong| (State::Different { announced: own }, wrong);
    // Which of the project's states it is: as it says itself, or else as its content says.
    let dated = shown.serial.or_else(|| {
        let hash = content_hash(&shown.files).filter(|_| !wrong.is_empty())?;
        let last = history
            .iter()
            .rfind(|change| change.content.sha256 == hash)?;
        Some(last.page?.serial)
    });
    match dated {
        None if wrong.is_empty() => (State::Exact { serial: own }, wrong),
        Some(serial) if serial == own && wrong.is_empty() => (State::Exact { serial }, wrong),
        Some(serial) if serial != own && !is_serial_of(history, serial) => {
            wrong.push(format!(
                "claims serial {serial}, at which this project had no page"
            ));
            different(wrong)
        }
        Some(serial) if serial != own => (at(expected, history, serial), Vec::new()),
        _ => different(wrong),
    }
}

/// The worst of a page's representations: which they are, how they stand, what is wrong with them.
pub fn worst(
    judgements: impl IntoIterator<Item = (&'static str, Judgement)>,
) -> (Vec<&'static str>, State, Vec<String>) {
    let mut judgements: Vec<_> = judgements.into_iter().collect();
    judgements.sort_by_key(|(_, (state, _))| std::cmp::Reverse(gravity(state)));
    let state = judgements[0].1.0.clone();
    judgements.retain(|(_, (other, _))| other.word() == state.word());
    let mut labels = Vec::new();
    let mut all: Vec<String> = Vec::new();
    for (label, (_, findings)) in judgements {
        labels.push(label);
        for finding in findings {
            // Two renderings of one wrong state say the same.
            if !all.contains(&finding) {
                all.push(finding);
            }
        }
    }
    (labels, state, all)
}

/// How bad a state is; among old pages the older is worse.
fn gravity(state: &State) -> (u8, u64) {
    match state {
        State::Exact { .. } => (0, 0),
        State::Newer { .. } => (1, 0),
        State::Unreadable { .. } => (2, 0),
        State::Behind(behind) => (3, behind.serials),
        State::Missing { .. } => (4, 0),
        State::Different { .. } => (5, 0),
    }
}

/// Files that the project has, or once had.
fn ever(history: &[Change]) -> BTreeSet<(&String, Sha256)> {
    history
        .iter()
        .flat_map(|change| change.files.added.iter().chain(&change.files.removed))
        .map(|(filename, sha256)| (filename, *sha256))
        .collect()
}

fn is_serial_of(history: &[Change], serial: Serial) -> bool {
    history
        .iter()
        .any(|change| change.page.is_some_and(|page| page.serial == serial))
}

/// A state of the project's own, by its serial.
fn at(expected: &Expected, history: &[Change], shows: Serial) -> State {
    let announced = expected.serial();
    if shows == announced {
        return State::Exact { serial: shows };
    }
    if shows > announced {
        return State::Newer { serial: shows };
    }
    let time = |change: &Change| change.timestamp.clone();
    State::Behind(Behind {
        shows,
        shown_from: history
            .iter()
            .find(|change| change.serial == shows)
            .map(time),
        announced,
        serials: announced.get() - shows.get(),
        since: history
            .iter()
            .find(|change| change.serial > shows)
            .map(time),
    })
}

#[cfg(test)]
mod tests;
