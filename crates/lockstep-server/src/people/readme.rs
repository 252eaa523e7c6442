//! A release's description as harmless HTML.
//!
//! Whoever may upload writes it, and whoever visits reads it: no script, style, form, frame or image
//! of theirs gets through, and no link but to the web and to a mailbox. Images are replaced by their
//! text, because loading one tells its owner who reads the page.
//!
//! Invariant: the cost is bounded by [`LONGEST_MARKDOWN`], whatever the text; see [`tidy`].

mod elements;
mod tidy;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use pulldown_cmark::{Options, Parser};

/// Longer Markdown, in bytes, is shown as the text it is: parsers have inputs that they dislike.
const LONGEST_MARKDOWN: usize = 256 * 1024;

/// What is shown of a description at most, in bytes.
const LONGEST: usize = 1024 * 1024;

/// A description, ready to be shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Readme {
    /// HTML that is safe as it is.
    Html(String),
    /// Text, to be escaped and shown as it was typed.
    Text {
        /// The text.
        text: String,
        /// Whether its end is missing.
        cut: bool,
    },
}

/// Renders a description of this content type (core metadata's `Description-Content-Type`);
/// `None`: there is nothing to show.
pub(super) fn render(description: &str, content_type: Option<&str>) -> Option<Readme> {
    if description.trim().is_empty() {
        return None;
    }
    let media_type = content_type.unwrap_or_default().split(';').next();
    let markdown = media_type.is_some_and(|it| it.trim().eq_ignore_ascii_case("text/markdown"));
    if markdown && description.len() <= LONGEST_MARKDOWN {
        let html = from_markdown(description);
        return (!html.trim().is_empty()).then_some(Readme::Html(html));
    }
    let end = description.floor_char_boundary(LONGEST);
    Some(Readme::Text {
        text: description[..end].to_owned(),
        cut: end < description.len(),
    })
}

fn from_markdown(text: &str) -> String {
    let extensions =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut html = String::with_capacity(text.len() * 3 / 2);
    pulldown_cmark::html::push_html(&mut html, Parser::new_ext(text, extensions));
    SANITIZER.clean(&tidy::tidy(&html)).to_string()
}

/// The last word. [`tidy`] writes nothing that this takes away; but this is the part that others
/// attack, and mend.
static SANITIZER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut sanitizer = ammonia::Builder::empty();
    sanitizer
        .tags(elements::names().collect())
        .tag_attributes(HashMap::from([("a", HashSet::from(["href"]))]))
        .allowed_classes(HashMap::from([("span", HashSet::from(["image"]))]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("nofollow ugc noopener noreferrer"))
        // What scrolls can be scrolled with the keyboard.
        .set_tag_attribute_value("pre", "tabindex", "0")
        .set_tag_attribute_value("table", "tabindex", "0");
    sanitizer
});

#[cfg(test)]
mod tests;
