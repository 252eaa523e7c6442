//! One project's verdict: the state of its page, and what is wrong with its files.

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
    /// Which files behind the page are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileFinding>,
}

/// A file that is not what was announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileFinding {
    /// Its name, or that of its metadata document.
    pub file: String,
    /// What is wrong with it.
    pub problem: Problem,
    /// The same in words, with the place.
    pub detail: String,
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Problem {
    /// No answer that could be judged.
    Unreadable,
    /// It is not there.
    Missing,
    /// It has other bytes.
    Different,
}

impl Problem {
    /// How a project stands by this alone: a missing file makes it different.
    fn word(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Missing | Self::Different => "different",
        }
    }
}

impl Verdict {
    /// Whether another project stands so for the same reasons.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        self.state.word() == other.state.word()
            && (&self.of, &self.findings, &self.files) == (&other.of, &other.findings, &other.files)
    }

    /// The page's verdict, with what was found of its files: they can make a fine page's project
    /// different or unreadable, and make nothing better.
    #[must_use]
    pub fn with_files(mut self, files: Vec<FileFinding>, announced: Serial) -> Self {
        let worst = files.iter().map(|finding| finding.problem).max();
        self.state = match (worst, self.state) {
            (Some(Problem::Unreadable), state) if state.is_fine() => {
                State::Unreadable { announced }
            }
            (Some(Problem::Missing | Problem::Different), state)
                if state.is_fine() || matches!(state, State::Unreadable { .. }) =>
            {
                State::Different { announced }
            }
            (_, state) => state,
        };
        self.files = files;
        self
    }
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
            }
        }
        for finding in &self.files {
            let (word, file, detail) = (finding.problem.word(), &finding.file, &finding.detail);
            writeln!(f, "{word} {project}: {file}: {detail}")?;
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
