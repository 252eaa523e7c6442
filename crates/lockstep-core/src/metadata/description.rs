//! `Description-Content-Type` (PEP 566): the three forms in which a description may be.
//!
//! Not here: rendering. Whether reStructuredText is without faults is for its author to see.
//!
//! Invariant: one answer for one text, whatever its case and white space.

/// What is expected of the field.
pub(super) const EXPECTED: &str = "`text/plain`, `text/x-rst` or `text/markdown`, with `charset=UTF-8`, and for Markdown \
     `variant=GFM` or `variant=CommonMark`";

/// Whether `text` is a content type that descriptions may have.
pub(super) fn is_content_type(text: &str) -> bool {
    let mut parts = text.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    if !["text/plain", "text/x-rst", "text/markdown"].contains(&kind.as_str()) {
        return false;
    }
    parts.filter(|part| !part.is_empty()).all(|part| {
        let Some((name, value)) = part.split_once('=') else {
            return false;
        };
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "charset" => value.eq_ignore_ascii_case("utf-8"),
            "variant" if kind == "text/markdown" => ["GFM", "CommonMark"].contains(&value),
            // Others say nothing that a reader must know.
            _ => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::is_content_type;

    #[test]
    fn three_kinds_are_taken() {
        for good in [
            "text/plain",
            "text/x-rst; charset=UTF-8",
            "text/markdown",
            "Text/Markdown; charset=\"utf-8\"; variant=GFM;",
            "text/markdown; variant=CommonMark",
            "text/plain; format=flowed",
        ] {
            assert!(is_content_type(good), "{good}");
        }
        for bad in [
            "",
            "markdown",
            "text/html",
            "text/rst",
            "text/markdown; charset=latin-1",
            "text/markdown; variant=Pandoc",
            "text/markdown charset=UTF-8",
            "text/markdown; GFM",
        ] {
            assert!(!is_content_type(bad), "{bad}");
        }
    }
}
