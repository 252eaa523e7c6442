//! The representation-free content of a page, and how it differs from what a mirror
//! shows. Pure.
//!
//! Two things that mirrors do are no difference: keeping a file that the index removed, and reducing
//! a yank's reason to "yanked". Whether a further file was ever the index's is [`crate::judge`]'s
//! question; here it is only told apart.

use std::collections::BTreeMap;

use lockstep_core::digest::Sha256;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::shown::ShownFile;

/// One line of the content: a file as any rendering of the page must show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line(
    /// Its name.
    pub String,
    /// Its hash.
    pub Sha256,
    /// `Requires-Python`.
    pub Option<String>,
    /// Whether it is yanked, and why.
    pub Yank,
);

/// Whether a file is yanked, as pages say it: `false`, `true`, or the reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Yank {
    /// Not yanked.
    #[default]
    No,
    /// Yanked; the reason is empty where none is given.
    Yes(String),
}

impl Yank {
    /// Whether a mirror that shows `self` shows what was announced: with the announced reason or
    /// with none, never with another.
    fn stands_for(&self, announced: &Self) -> bool {
        match (self, announced) {
            (Self::No, Self::No) => true,
            (Self::Yes(shown), Self::Yes(announced)) => shown.is_empty() || shown == announced,
            _ => false,
        }
    }
}

#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum FlagOrReason {
    Flag(bool),
    Reason(String),
}

impl<'de> Deserialize<'de> for Yank {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match FlagOrReason::deserialize(deserializer)? {
            FlagOrReason::Flag(false) => Self::No,
            FlagOrReason::Flag(true) => Self::Yes(String::new()),
            FlagOrReason::Reason(reason) => Self::Yes(reason),
        })
    }
}

impl Serialize for Yank {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::No => FlagOrReason::Flag(false),
            Self::Yes(reason) if reason.is_empty() => FlagOrReason::Flag(true),
            Self::Yes(reason) => FlagOrReason::Reason(reason.clone()),
        }
        .serialize(serializer)
    }
}

/// Reads a content manifest.
pub fn parse(bytes: &[u8]) -> Result<Vec<Line>, serde_json::Error> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(serde_json::from_slice)
        .collect()
}

/// The hash of the content that a page shows, as the changelog would announce it: dates an old page
/// of a mirror that tells no serial. `None` when the page names a file without a hash.
pub fn content_hash(shown: &[ShownFile]) -> Option<Sha256> {
    let mut files: Vec<&ShownFile> = shown.iter().collect();
    files.sort_by(|a, b| a.filename.cmp(&b.filename));
    let mut bytes = Vec::new();
    for file in files {
        let line = Line(
            file.filename.clone(),
            file.sha256?,
            file.requires_python.clone(),
            file.yanked.clone(),
        );
        serde_json::to_writer(&mut bytes, &line).ok()?;
        bytes.push(b'\n');
    }
    Some(Sha256::of(&bytes))
}

/// How a page differs from what was announced.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// A sentence for each file that is missing or shown otherwise.
    pub wrong: Vec<String>,
    /// Files shown beyond those announced.
    pub further: Vec<(String, Option<Sha256>)>,
}

/// Compares a page with the announced content.
pub fn differences(announced: &[Line], shown: &[ShownFile]) -> Differences {
    let mut left: BTreeMap<&str, &ShownFile> = shown
        .iter()
        .map(|file| (file.filename.as_str(), file))
        .collect();
    let mut found = Differences::default();
    for line in announced {
        match left.remove(line.0.as_str()) {
            None => found.wrong.push(format!("lists no {}", line.0)),
            Some(file) => found.wrong.extend(wrong(line, file)),
        }
    }
    found.further = left
        .into_values()
        .map(|file| (file.filename.clone(), file.sha256))
        .collect();
    found
}

fn wrong(Line(filename, sha256, requires_python, yanked): &Line, shown: &ShownFile) -> Vec<String> {
    let mut wrong = Vec::new();
    match shown.sha256 {
        Some(seen) if seen == *sha256 => {}
        Some(seen) => wrong.push(format!("{filename}: sha256 {seen}, announced {sha256}")),
        None => wrong.push(format!("{filename}: no sha256, announced {sha256}")),
    }
    if shown.requires_python != *requires_python {
        let seen = shown.requires_python.as_deref().unwrap_or("nothing");
        let announced = requires_python.as_deref().unwrap_or("nothing");
        wrong.push(format!(
            "{filename}: requires-python is {seen}, announced {announced}"
        ));
    }
    if !shown.yanked.stands_for(yanked) {
        let say = |yank: &Yank| match yank {
            Yank::No => "not yanked".to_owned(),
            Yank::Yes(reason) if reason.is_empty() => "yanked".to_owned(),
            Yank::Yes(reason) => format!("yanked ({reason})"),
        };
        let (seen, announced) = (say(&shown.yanked), say(yanked));
        wrong.push(format!("{filename}: is {seen}, announced {announced}"));
    }
    wrong
}
