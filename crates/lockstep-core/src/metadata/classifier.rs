//! The classifiers that the public index knows (PEP 301). The lists are written by
//! `lists/make.py` from `trove-classifiers`.
//!
//! Not here: what a classifier means.
//!
//! Invariant: the lists are sorted bytewise.

use std::sync::LazyLock;

use super::MetadataError;

static KNOWN: LazyLock<Vec<&str>> = LazyLock::new(|| {
    include_str!("../../lists/classifiers.txt")
        .lines()
        .collect()
});

/// Lines of `old => new, other new`, with nothing behind the arrow where there is no successor.
const DEPRECATED: &str = include_str!("../../lists/classifiers-deprecated.txt");

/// Refuses a classifier that is not known, or no longer.
pub(super) fn check(classifier: &str) -> Result<(), MetadataError> {
    if KNOWN.binary_search(&classifier).is_ok() {
        return Ok(());
    }
    let seen = || classifier.chars().take(140).collect::<String>();
    let deprecated = DEPRECATED
        .lines()
        .filter_map(|line| line.split_once(" => "));
    for (old, new) in deprecated {
        if old == classifier {
            return Err(match new {
                "" => MetadataError::Classifier {
                    seen: seen(),
                    expected: "it is deprecated and has no successor".to_owned(),
                },
                new => MetadataError::Classifier {
                    seen: seen(),
                    expected: format!("it is deprecated, use `{new}`"),
                },
            });
        }
    }
    let expected = if classifier.starts_with("Private ::") {
        "`Private ::` asks indexes to refuse the upload".to_owned()
    } else {
        // Not of all of it: comparing takes the product of both lengths, for each that is known.
        let seen = seen();
        let likeness = |known: &&str| strsim::jaro_winkler(known, &seen);
        let nearest = KNOWN
            .iter()
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        format!("did you mean `{}`?", nearest.copied().unwrap_or_default())
    };
    Err(MetadataError::Classifier {
        seen: seen(),
        expected,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_can_be_searched() {
        assert!(KNOWN.is_sorted());
        assert!(KNOWN.len() > 800);
        for line in DEPRECATED.lines() {
            let (old, new) = line.split_once(" => ").expect(line);
            assert!(KNOWN.binary_search(&old).is_err(), "{old}");
            for new in new.split(", ").filter(|new| !new.is_empty()) {
                assert!(KNOWN.binary_search(&new).is_ok(), "{new}");
            }
        }
    }

    #[test]
    fn a_classifier_as_long_as_a_document_is_refused_like_any_other() {
        let long = format!(
            "Programming Language :: Pithon :: 3{}",
            "a ".repeat(4 << 20)
        );
        let message = check(&long).expect_err("long").to_string();
        assert!(message.ends_with('?') && message.len() < 300, "{message}");
    }

    #[test]
    fn a_refusal_says_what_to_write() {
        let message = |text| check(text).expect_err(text).to_string();
        assert!(check("Programming Language :: Python :: 3").is_ok());
        assert_eq!(
            message("Programming Language :: Pithon :: 3"),
            "Classifier `Programming Language :: Pithon :: 3` is not known: did you mean \
             `Programming Language :: Python :: 3`?"
        );
        assert_eq!(
            message("Private :: Do Not Upload"),
            "Classifier `Private :: Do Not Upload` is not known: `Private ::` asks indexes to \
             refuse the upload"
        );
        assert_eq!(
            message("Natural Language :: Ukranian"),
            "Classifier `Natural Language :: Ukranian` is not known: it is deprecated, use \
             `Natural Language :: Ukrainian`"
        );
    }
}
