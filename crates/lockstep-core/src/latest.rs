//! Which release of a project is its latest: what the JSON API and the page for people show when no
//! version is asked for.
//!
//! Not here: what installers choose; they look at `Requires-Python` and file names, too.

use crate::status::Yanked;
use crate::version::Version;

/// How well a release stands for its project. The greatest is the latest: not yanked before yanked,
/// final before pre-release, then the order of PEP 440; as in the public index.
pub fn rank<'a>(version: &'a Version, yanked: &Yanked) -> impl Ord + use<'a> {
    (*yanked == Yanked::No, !version.is_prerelease(), version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_is_not_yanked_then_final_then_the_newest() {
        let yes = || Yanked::Yes(None);
        for (releases, latest) in [
            (&[("1.9", Yanked::No), ("1.10", Yanked::No)] as &[_], "1.10"),
            (&[("1.0", Yanked::No), ("2.0rc1", Yanked::No)], "1.0"),
            (&[("1.0", yes()), ("2.0rc1", Yanked::No)], "2.0rc1"),
            (&[("1.0", Yanked::No), ("2.0", yes())], "1.0"),
            (&[("1.0", yes()), ("2.0rc1", yes())], "1.0"),
            (&[("1.0.dev1", Yanked::No), ("1.0a1", Yanked::No)], "1.0a1"),
            (&[("1!1.0", Yanked::No), ("2024.1", Yanked::No)], "1!1.0"),
            (
                &[("1.0", Yanked::No), ("1.0.post1", Yanked::No)],
                "1.0.post1",
            ),
        ] {
            let parsed: Vec<(Version, &Yanked)> = releases
                .iter()
                .map(|(text, yanked)| (text.parse().expect("version"), yanked))
                .collect();
            let found = parsed
                .iter()
                .max_by_key(|(version, yanked)| rank(version, yanked));
            assert_eq!(found.map(|(version, _)| version.as_str()), Some(latest));
        }
    }
}
