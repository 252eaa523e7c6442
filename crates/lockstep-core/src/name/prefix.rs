//! The beginning of a normalized name, as people type it into a search form.

use std::fmt;

use super::LONGEST;

/// What a normalized name (PEP 503) can begin with: `a-z`, `0-9` and single dashes, not in front.
/// Empty: any name begins with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePrefix(String);

impl NamePrefix {
    /// The prefix that `text` spells, in the way in which a name is normalized; `None` when no name
    /// can begin like that.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > LONGEST {
            return None;
        }
        let mut prefix = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                '.' | '_' | '-' if prefix.is_empty() => return None,
                '.' | '_' | '-' if prefix.ends_with('-') => {}
                '.' | '_' | '-' => prefix.push('-'),
                letter if letter.is_ascii_alphanumeric() => {
                    prefix.push(letter.to_ascii_lowercase());
                }
                _ => return None,
            }
        }
        Some(Self(prefix))
    }

    /// The prefix.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NamePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_normalized_like_a_name_and_junk_is_none() {
        let of = |text: &str| NamePrefix::of(text).map(|it| it.0);
        for (text, prefix) in [
            ("", ""),
            ("  ", ""),
            ("Sample", "sample"),
            (" Sample_Pro ", "sample-pro"),
            ("sample.-_", "sample-"),
            ("7z", "7z"),
        ] {
            assert_eq!(of(text).as_deref(), Some(prefix), "{text:?}");
        }
        let long = "a".repeat(101);
        for junk in ["%", "_", "-a", "a%", "a b", "é", "a/b", "a'--", &long] {
            assert_eq!(of(junk), None, "{junk:?}");
        }
    }
}
