//! The syntax of a requirement on another distribution (PEP 508): name, extras, versions or
//! URL, environment marker.
//!
//! Not here: what a requirement or a marker evaluates to. A full parser such as `pep508_rs`
//! reduces markers to decision diagrams, keeps each one it ever saw, and expands environment
//! variables in URLs; an index must do none of this with a stranger's text.
//!
//! Invariant: one pass from left to right without recursion, so no text is too deep.

use crate::name::ProjectName;
use crate::version::is_specifier_set;

/// What a marker can ask for (PEP 508, PEP 751), with the older
/// spellings that are still read.
const VARIABLES: [&str; 20] = [
    "python_version",
    "python_full_version",
    "os_name",
    "os.name",
    "sys_platform",
    "sys.platform",
    "platform_release",
    "platform_system",
    "platform_version",
    "platform.version",
    "platform_machine",
    "platform.machine",
    "platform_python_implementation",
    "platform.python_implementation",
    "python_implementation",
    "implementation_name",
    "implementation_version",
    "extra",
    "extras",
    "dependency_groups",
];

/// Whether `text` is the name of a distribution or an extra (PEP 508).
pub(super) fn is_identifier(text: &str) -> bool {
    text.parse::<ProjectName>().is_ok()
}

/// Whether `text` is a requirement (PEP 508).
pub(super) fn is_requirement(text: &str) -> bool {
    let text = text.trim();
    let name_end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(name_end);
    let Some(rest) = after_extras(rest.trim_start()) else {
        return false;
    };
    is_identifier(name)
        && match rest.trim_start().strip_prefix('@') {
            Some(url) => is_url_and_marker(url.trim_start()),
            None => is_versions_and_marker(rest),
        }
}

/// Whether a requirement names a URL in place of versions (PEP 508).
pub(super) fn has_url(requirement: &str) -> bool {
    let head = requirement
        .split([';', '\'', '"'])
        .next()
        .unwrap_or_default();
    // No version and no name has one; a URL is behind it.
    head.contains('@')
}

/// What follows the list of extras, if there is a well-formed or no list.
fn after_extras(text: &str) -> Option<&str> {
    let Some(list) = text.strip_prefix('[') else {
        return Some(text);
    };
    let (list, rest) = list.split_once(']')?;
    let well_formed = list.trim().is_empty() || list.split(',').all(|e| is_identifier(e.trim()));
    well_formed.then_some(rest)
}

/// A URL ends at white space, so that it may contain semicolons.
fn is_url_and_marker(text: &str) -> bool {
    let (url, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim_start();
    !url.is_empty() && (rest.is_empty() || rest.strip_prefix(';').is_some_and(is_marker))
}

fn is_versions_and_marker(text: &str) -> bool {
    let (versions, marker) = match text.split_once(';') {
        Some((versions, marker)) => (versions, Some(marker)),
        None => (text, None),
    };
    let versions = versions.trim();
    let versions = match versions.strip_prefix('(') {
        Some(inner) => inner.strip_suffix(')'),
        None => Some(versions),
    };
    // One trailing comma is accepted, as `packaging` does; other empty parts are not.
    let well_formed = |set: &str| {
        let set = set.trim();
        let mut parts = set.strip_suffix(',').unwrap_or(set).split(',');
        set.is_empty() || (parts.all(|part| !part.trim().is_empty()) && is_specifier_set(set))
    };
    versions.is_some_and(well_formed) && marker.is_none_or(is_marker)
}

/// What may come next in a marker.
enum Expect {
    /// A comparison or an opening parenthesis.
    Expression,
    /// The operator of a comparison.
    Operator,
    /// The right side of a comparison.
    RightSide,
    /// `and`, `or`, a closing parenthesis or the end.
    Connective,
}

/// Whether `text` is an environment marker (PEP 508).
fn is_marker(text: &str) -> bool {
    let mut rest = text.trim_start();
    let mut expect = Expect::Expression;
    let mut depth = 0_usize;
    while !rest.is_empty() {
        let (next, after) = match expect {
            Expect::Expression => match rest.strip_prefix('(') {
                Some(after) => {
                    depth += 1;
                    (Expect::Expression, Some(after))
                }
                None => (Expect::Operator, after_operand(rest)),
            },
            Expect::Operator => (Expect::RightSide, after_operator(rest)),
            Expect::RightSide => (Expect::Connective, after_operand(rest)),
            Expect::Connective => match rest.strip_prefix(')') {
                Some(after) if depth > 0 => {
                    depth -= 1;
                    (Expect::Connective, Some(after))
                }
                _ => (
                    Expect::Expression,
                    after_word(rest, "and").or_else(|| after_word(rest, "or")),
                ),
            },
        };
        let Some(after) = after else {
            return false;
        };
        (expect, rest) = (next, after.trim_start());
    }
    depth == 0 && matches!(expect, Expect::Connective)
}

/// What follows a quoted text or a variable.
fn after_operand(text: &str) -> Option<&str> {
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote).map(|(_, after)| after);
        }
    }
    VARIABLES
        .iter()
        .find_map(|variable| after_word(text, variable))
}

fn after_operator(text: &str) -> Option<&str> {
    // The longer ones first, as each is a beginning of them.
    let signs = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"];
    signs
        .iter()
        .find_map(|sign| text.strip_prefix(sign))
        .or_else(|| after_word(text, "in"))
        .or_else(|| {
            let after = after_word(text, "not")?;
            after_word(after.strip_prefix(char::is_whitespace)?.trim_start(), "in")
        })
}

/// What follows `word`, if `text` begins with it and not with a longer one.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let after = text.strip_prefix(word)?;
    let goes_on = after.starts_with(|c: char| c.is_ascii_alphanumeric() || "._".contains(c));
    (!goes_on).then_some(after)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn depth_costs_nothing() {
        let marker = format!("{}extra == 'a'{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(is_requirement(&format!("name; {marker}")));
        assert!(!is_requirement(&format!("name; ({marker}")));
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_without_panic(
            text in any::<String>(),
            near in "a ?(\\[[a-z,]{0,4}\\])?[ (<>=~0-9,@.*)]{0,10};[()a-z \"'<=é]{0,20}",
        ) {
            let _ = (is_requirement(&text), is_requirement(&near));
        }
    }
}
