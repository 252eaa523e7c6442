//! What an audit found: a state per project, for people (one line a finding) and for programs.

use std::fmt;

use lockstep_core::name::NormalizedName;
use lockstep_core::serial::Serial;
use serde::Serialize;

/// How a project's page stands to what was announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum State {
    /// What was announced, at this serial.
    Exact {
        /// Which serial it shows.
        serial: Serial,
    },
    /// A later state than the announced one, and one of the index's own.
    Newer {
        /// Which serial it shows.
        serial: Serial,
    },
    /// An earlier state.
    Behind(Behind),
    /// No state that the index ever had, or not that of the serial it claims.
    Different {
        /// Which serial was announced.
        announced: Serial,
    },
    /// No page, where there must be one.
    Missing {
        /// Which serial was announced.
        announced: Serial,
    },
    /// No answer that could be judged.
    Unreadable {
        /// Which serial was announced.
        announced: Serial,
    },
}

/// How far behind a page is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Behind {
    /// Which serial it shows.
    pub shows: Serial,
    /// When that was committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown_from: Option<String>,
    /// Which serial was announced.
    pub announced: Serial,
    /// How many serials lie between.
    pub serials: u64,
    /// When the shown state was replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

impl State {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Exact { .. } => "exact",
            Self::Newer { .. } => "newer",
            Self::Behind(_) => "behind",
            Self::Different { .. } => "different",
            Self::Missing { .. } => "missing",
            Self::Unreadable { .. } => "unreadable",
        }
    }

    /// Whether mirrors may rely on it.
    pub fn is_fine(&self) -> bool {
        matches!(self, Self::Exact { .. } | Self::Newer { .. })
    }
}

/// What was found of one project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Which.
    pub project: NormalizedName,
    /// How its page stands; the worst of its representations.
    #[serde(flatten)]
    pub state: State,
    /// Which representations stand so, unless all do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<&'static str>,
    /// What precisely is wrong, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

/// One line per finding; nothing for a project that is as announced.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let project = &self.project;
        let of = if self.of.is_empty() {
            String::new()
        } else {
            format!(" [{}]", self.of.join(", "))
        };
        match &self.state {
            State::Exact { .. } | State::Newer { .. } => {}
            State::Behind(behind) => writeln!(f, "behind {project}: {behind}{of}")?,
            State::Missing { announced } => {
                writeln!(f, "missing {project}: no page, announced {announced}{of}")?;
            }
            State::Different { .. } | State::Unreadable { .. } => {
                let word = self.state.word();
                for finding in &self.findings {
                    writeln!(f, "{word} {project}: {finding}{of}")?;
                }
                return Ok(());
            }
        }
        // Files that are wrong beside a page that is.
        for finding in &self.findings {
            writeln!(f, "different {project}: {finding}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shows serial {}", self.shows)?;
        if let Some(time) = &self.shown_from {
            write!(f, " ({time})")?;
        }
        let plural = if self.serials == 1 { "" } else { "s" };
        write!(
            f,
            ", announced {}, {} serial{plural} behind",
            self.announced, self.serials
        )?;
        if let Some(time) = &self.since {
            write!(f, " since {time}")?;
        }
        Ok(())
    }
}

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

/// An audit's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whose changelog it was held against.
    pub index: String,
    /// What was looked at.
    pub target: String,
    /// Up to where the index had announced.
    pub announced: Serial,
    /// Every project looked at, in the order of names.
    pub projects: Vec<Verdict>,
    /// The same, counted.
    pub counts: Counts,
}

impl Report {
    /// Puts a report together.
    pub fn new(index: String, target: String, announced: Serial, projects: Vec<Verdict>) -> Self {
        let mut counts = Counts::default();
        for verdict in &projects {
            *match verdict.state {
                State::Exact { .. } => &mut counts.exact,
                State::Newer { .. } => &mut counts.newer,
                State::Behind(_) => &mut counts.behind,
                State::Different { .. } => &mut counts.different,
                State::Missing { .. } => &mut counts.missing,
                State::Unreadable { .. } => &mut counts.unreadable,
            } += 1;
        }
        Self {
            index,
            target,
            announced,
            projects,
            counts,
        }
    }

    /// Whether nothing is older than, or different from, what was announced.
    pub fn is_fine(&self) -> bool {
        self.projects.iter().all(|verdict| verdict.state.is_fine())
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
        format!(
            "{total} projects at announced serial {announced}: {}",
            parts.join(", ")
        )
    }
}
