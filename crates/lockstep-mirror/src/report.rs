//! What an audit found: a state per project, for people (one line a finding) and for programs.
//!
//! The document of `--json` is these types, field by field; `docs/guide/audit.md` describes it.

mod verdict;

use lockstep_core::serial::Serial;
use serde::Serialize;

pub use self::verdict::{Behind, FileFinding, Problem, State, Verdict};
use crate::target::Kind;

/// How many projects are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// As announced.
    pub exact: usize,
    /// Later than announced.
    pub newer: usize,
    /// Earlier than announced.
    pub behind: usize,
    /// Otherwise than announced.
    pub different: usize,
    /// Not there.
    pub missing: usize,
    /// Not judged.
    pub unreadable: usize,
}

/// By what pages are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// They are copies: by the hash of their bytes.
    Bytes,
    /// They are rendered again: by the files they list, and the serial they claim.
    Content,
}

/// An audit's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whose changelog it was held against.
    pub index: String,
    /// What was looked at.
    pub target: String,
    /// What it was taken for, if that was given or found out.
    pub kind: Option<Kind>,
    /// By what its pages were judged.
    pub judged_by: Measure,
    /// Whether its files were looked at, or its pages alone.
    pub pages_only: bool,
    /// How many bytes of files were read.
    pub file_bytes: u64,
    /// Up to where the index had announced.
    pub announced: Serial,
    /// Every project looked at, in the order of names.
    pub projects: Vec<Verdict>,
    /// The same, counted.
    pub counts: Counts,
}

impl Counts {
    /// Counts.
    pub fn of(projects: &[Verdict]) -> Self {
        let mut counts = Self::default();
        for verdict in projects {
            *match verdict.state {
                State::Exact { .. } => &mut counts.exact,
                State::Newer { .. } => &mut counts.newer,
                State::Behind(_) => &mut counts.behind,
                State::Different { .. } => &mut counts.different,
                State::Missing { .. } => &mut counts.missing,
                State::Unreadable { .. } => &mut counts.unreadable,
            } += 1;
        }
        counts
    }
}

impl Report {
    /// Whether nothing is older than, or different from, what was announced.
    pub fn is_fine(&self) -> bool {
        self.projects.iter().all(|verdict| verdict.state.is_fine())
    }

    /// The findings for people, one a line. Where no project at all has a page, or none can be read
    /// for one reason, the target's address is wrong rather than each of its pages: one line says so.
    pub fn lines(&self) -> String {
        let all = || self.projects.iter().map(ToString::to_string).collect();
        let [first, rest @ ..] = self.projects.as_slice() else {
            return String::new();
        };
        if rest.is_empty() || !rest.iter().all(|other| first.is_alike(other)) {
            return all();
        }
        let (count, target) = (self.projects.len(), &self.target);
        match first.state {
            State::Missing { .. } => format!(
                "missing all {count} projects: not one page at {target}; is the address right?\n"
            ),
            State::Unreadable { .. } if first.files.is_empty() => {
                let why = first.findings.join("; ");
                format!("unreadable all {count} projects: {why} (at {target})\n")
            }
            _ => all(),
        }
    }

    /// The result in one line.
    pub fn summary(&self) -> String {
        let counts = &self.counts;
        let parts: Vec<String> = [
            (counts.exact, "exact"),
            (counts.newer, "newer"),
            (counts.behind, "behind"),
            (counts.different, "different"),
            (counts.missing, "missing"),
            (counts.unreadable, "unreadable"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
        let (total, announced) = (self.projects.len(), self.announced);
        let (states, taken) = (parts.join(", "), self.taken_for());
        format!("{total} projects at announced serial {announced}{taken}: {states}")
    }

    /// Where something was found, what it was held to be: a wrong guess explains much.
    fn taken_for(&self) -> String {
        if self.is_fine() {
            return String::new();
        }
        let kind = self
            .kind
            .map_or("unknown".to_owned(), |kind| kind.to_string());
        let measure = match self.judged_by {
            Measure::Bytes => "the hash of its pages",
            Measure::Content => "the content of its pages",
        };
        format!(" (kind {kind}, judged by {measure}; --kind says otherwise)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(project: &str, state: State) -> Verdict {
        Verdict {
            project: project.parse().expect("a name"),
            state,
            of: Vec::new(),
            findings: Vec::new(),
            files: Vec::new(),
        }
    }

    fn file(problem: Problem) -> FileFinding {
        FileFinding {
            file: "a.whl".to_owned(),
            problem,
            detail: "why".to_owned(),
        }
    }

    fn report(projects: Vec<Verdict>) -> Report {
        Report {
            index: "http://index/".to_owned(),
            target: "http://pop/simple/".to_owned(),
            kind: Some(Kind::Edge),
            judged_by: Measure::Bytes,
            pages_only: false,
            file_bytes: 0,
            announced: Serial::ZERO.plus(9),
            counts: Counts::of(&projects),
            projects,
        }
    }

    #[test]
    fn a_wrong_address_is_one_line_and_not_a_thousand() {
        let missing = |serial| State::Missing {
            announced: Serial::ZERO.plus(serial),
        };
        let all = report(vec![verdict("a", missing(3)), verdict("b", missing(4))]);
        assert_eq!(
            all.lines(),
            "missing all 2 projects: not one page at http://pop/simple/; is the address right?\n"
        );
        let serial = Serial::ZERO.plus(3);
        let some = report(vec![
            verdict("a", missing(3)),
            verdict("b", State::Exact { serial }),
        ]);
        assert_eq!(some.lines(), "missing a: no page, announced 3\n");
    }

    #[test]
    fn files_make_a_project_worse_and_never_better() {
        let serial = Serial::ZERO.plus(3);
        let fine = verdict("a", State::Exact { serial });
        for (problem, line) in [
            (Problem::Missing, "different a: a.whl: why\n"),
            (Problem::Different, "different a: a.whl: why\n"),
            (Problem::Unreadable, "unreadable a: a.whl: why\n"),
        ] {
            let with = fine.clone().with_files(vec![file(problem)], serial);
            assert!(!with.state.is_fine());
            assert_eq!(with.to_string(), line);
        }
        let missing = verdict("a", State::Missing { announced: serial });
        let with = missing
            .clone()
            .with_files(vec![file(Problem::Unreadable)], serial);
        assert_eq!(with.state, missing.state);
        assert_eq!(fine.clone().with_files(Vec::new(), serial), fine);
    }
}
