//! Names that a new project can't have, because people or Python would take it for something else.
//!
//! Not here: which projects there are, and which names an operator forbids.
//!
//! Invariant: both rules are about new projects only. A project that has its name keeps it.

use super::NormalizedName;

/// The modules of Python's standard library, of any version, sorted bytewise: a project of such a
/// name is installed by people who mean the module. Written by `lists/make.py`.
const STANDARD_LIBRARY: &str = include_str!("../../lists/stdlib.txt");

/// What is left of a name at a glance: no separators, and one form for letters and digits that
/// look alike (`1`, `l` and `i`; `0` and `o`). Two projects with the same one would be mistaken for
/// each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Glance(String);

impl Glance {
    /// The name as it looks.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl NormalizedName {
    /// What the name looks like. The migration that added the column does the same in SQL.
    pub fn at_a_glance(&self) -> Glance {
        let letter = |letter: char| match letter {
            '-' => None,
            'l' | 'i' => Some('1'),
            'o' => Some('0'),
            other => Some(other),
        };
        Glance(self.as_str().chars().filter_map(letter).collect())
    }

    /// Whether a module of Python's standard library has this name, now or in the past.
    pub fn is_standard_library(&self) -> bool {
        // Asked once for each new project: the list is not worth keeping in another form.
        STANDARD_LIBRARY.lines().any(|name| name == self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> NormalizedName {
        text.parse().expect("a normalized name")
    }

    #[test]
    fn names_that_look_alike_are_alike() {
        for (one, other) in [
            ("sample-project", "sampleproject"),
            ("pillow", "pi1l0w"),
            ("oil-1", "0-lil"),
        ] {
            assert_eq!(name(one).at_a_glance(), name(other).at_a_glance(), "{one}");
        }
        assert_eq!(name("sample-oil").at_a_glance().as_str(), "samp1e011");
        assert_ne!(name("alpha").at_a_glance(), name("alpine").at_a_glance());
    }

    #[test]
    fn modules_of_any_python_are_known() {
        for module in ["json", "asyncio", "os-path", "commands", "ast"] {
            assert!(name(module).is_standard_library(), "{module}");
        }
        for other in ["requests", "sample", "jso", "js"] {
            assert!(!name(other).is_standard_library(), "{other}");
        }
    }

    #[test]
    fn the_list_is_of_normalized_names_in_order() {
        let names: Vec<_> = STANDARD_LIBRARY.lines().map(name).collect();
        assert!(names.is_sorted_by(|a, b| a < b));
        assert!(names.len() > 1000);
    }
}
