//! The elements that a readme may consist of. One that is missing here loses its tags and keeps its text.

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Holds blocks or text.
    Block,
    /// Holds text; ends where a block begins.
    Paragraph,
    /// Stands in text.
    Inline,
    List,
    Item,
    /// Parts of a table, from outside in.
    Table,
    Section,
    Row,
    Cell,
}

/// What is known, by the name it has in the input and in the output.
const KNOWN: [(&str, &str, Kind); 43] = [
    ("p", "p", Kind::Paragraph),
    ("div", "div", Kind::Block),
    ("center", "div", Kind::Block),
    ("section", "div", Kind::Block),
    ("blockquote", "blockquote", Kind::Block),
    ("details", "details", Kind::Block),
    ("summary", "summary", Kind::Paragraph),
    ("pre", "pre", Kind::Paragraph),
    ("dt", "p", Kind::Paragraph),
    ("dd", "blockquote", Kind::Block),
    ("h1", "h3", Kind::Paragraph),
    ("h2", "h3", Kind::Paragraph),
    ("h3", "h3", Kind::Paragraph),
    ("h4", "h4", Kind::Paragraph),
    ("h5", "h5", Kind::Paragraph),
    ("h6", "h6", Kind::Paragraph),
    ("ul", "ul", Kind::List),
    ("ol", "ol", Kind::List),
    ("li", "li", Kind::Item),
    ("table", "table", Kind::Table),
    ("thead", "thead", Kind::Section),
    ("tbody", "tbody", Kind::Section),
    ("tr", "tr", Kind::Row),
    ("th", "th", Kind::Cell),
    ("td", "td", Kind::Cell),
    ("a", "a", Kind::Inline),
    ("b", "strong", Kind::Inline),
    ("strong", "strong", Kind::Inline),
    ("i", "em", Kind::Inline),
    ("em", "em", Kind::Inline),
    ("s", "del", Kind::Inline),
    ("strike", "del", Kind::Inline),
    ("del", "del", Kind::Inline),
    ("ins", "ins", Kind::Inline),
    ("code", "code", Kind::Inline),
    ("tt", "code", Kind::Inline),
    ("samp", "samp", Kind::Inline),
    ("kbd", "kbd", Kind::Inline),
    ("var", "var", Kind::Inline),
    ("mark", "mark", Kind::Inline),
    ("sub", "sub", Kind::Inline),
    ("sup", "sup", Kind::Inline),
    ("small", "small", Kind::Inline),
];

/// Elements whose text is not for readers.
pub(super) const MUTE: [&str; 12] = [
    "script", "style", "title", "textarea", "select", "iframe", "object", "noscript", "template",
    "svg", "math", "head",
];

/// Every element that can be in the output.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let known = KNOWN.iter().map(|(_, name, _)| *name);
    known.chain(["br", "hr", "span"])
}

pub(super) fn known(name: &[u8]) -> Option<(&'static str, &'static str, Kind)> {
    let known = KNOWN.iter().find(|(from, ..)| from.as_bytes() == name);
    known.copied()
}

/// 1 to 6.
pub(super) fn heading_level(name: &str) -> Option<usize> {
    let level = name.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&level).then_some(level)
}
