//! Which release of a project is its latest: what the JSON API and the page for people show when no
//! version is asked for, and what XML-RPC calls the stable version.
//!
//! Not here: what installers choose; they look at `Requires-Python` and file names, too.

use crate::version::Version;

/// How well a release stands for its project. The greatest is the latest: not yanked before yanked,
/// final before pre-release, then the order of PEP 440; as in the public index.
pub fn rank(version: &Version, yanked: bool) -> impl Ord {
    (!yanked, !version.is_prerelease(), version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_is_not_yanked_then_final_then_the_newest() {
        for (releases, latest) in [
            (&[("1.9", false), ("1.10", false)] as &[_], "1.10"),
            (&[("1.0", false), ("2.0rc1", false)], "1.0"),
            (&[("1.0", true), ("2.0rc1", false)], "2.0rc1"),
            (&[("1.0", false), ("2.0", true)], "1.0"),
            (&[("1.0", true), ("2.0rc1", true)], "1.0"),
            (&[("1.0.dev1", false), ("1.0a1", false)], "1.0a1"),
            (&[("1!1.0", false), ("2024.1", false)], "1!1.0"),
            (&[("1.0", false), ("1.0.post1", false)], "1.0.post1"),
        ] {
            let parsed: Vec<(Version, bool)> = releases
                .iter()
                .map(|&(text, yanked)| (text.parse().expect("version"), yanked))
                .collect();
            let found = parsed
                .iter()
                .max_by_key(|(version, yanked)| rank(version, *yanked));
            assert_eq!(found.map(|(version, _)| version.as_str()), Some(latest));
        }
    }
}
