//! The purge plan: the surrogate keys that answers carry, and the keys a change purges.
//!
//! Invariant: both sides come from this one module, so a page can't be cached under a key that no
//! change of it purges. A key is lower-case ASCII without `/`, `:` or spaces, which every CDN we
//! know of takes unescaped.

use std::fmt;

use crate::name::NormalizedName;

/// A surrogate key (a cache tag): the handle by which a CDN drops every variant of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SurrogateKey(String);

impl SurrogateKey {
    /// Everything that shows this project's state.
    pub fn project(project: &NormalizedName) -> Self {
        Self(format!("project-{project}"))
    }

    /// The list of projects, `/simple/`, and whatever else speaks of the whole index: feeds, the front
    /// page, the search. No change purges it: it is a snapshot at the announced serial with a short life
    /// of its own, and an older one is complete, never wrong.
    pub fn simple_index() -> Self {
        Self("simple-index".to_owned())
    }

    /// A key read back from the outbox, where only this module's keys are put.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SurrogateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The keys to purge after a change of this project, the one that must work first: Fastly silently
/// ignores whatever lies beyond its limit on a header.
pub fn keys_to_purge(project: &NormalizedName) -> Vec<SurrogateKey> {
    vec![SurrogateKey::project(project)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_carries_is_what_a_change_purges() {
        let project: NormalizedName = "sample-project".parse().expect("name");
        let carried = SurrogateKey::project(&project);
        assert_eq!(carried.as_str(), "project-sample-project");
        assert!(keys_to_purge(&project).contains(&carried));
    }
}
