//! Brings the HTML of a readme into order: known elements only, properly nested, not too deep.
//!
//! Why before a sanitizer, which would repair it as well: HTML parsers repair some texts at a
//! quadratic cost in time and memory (formatting that is never closed is opened again in each
//! paragraph). What comes out here needs no repair. And pages for people need headings in order, no
//! empty links, and no images.
//!
//! Invariant: of the input only text, and the addresses of links, get into the output, escaped.

use html5gum::{StartTag, Token, Tokenizer};

use super::elements::{Kind, MUTE, heading_level, known};

/// Deeper elements are left out; their text stays.
const DEEPEST: usize = 40;

/// See the module.
pub(super) fn tidy(html: &str) -> String {
    let mut tidy = Tidy::default();
    let mut muted: Option<&str> = None;
    for Ok(token) in Tokenizer::new(html) {
        match (token, muted) {
            (Token::EndTag(tag), Some(name)) if *tag.name == *name.as_bytes() => muted = None,
            (Token::StartTag(tag), None) => {
                muted = MUTE
                    .into_iter()
                    .find(|name| *tag.name == *name.as_bytes() && !tag.self_closing);
                tidy.start(&tag);
            }
            (Token::EndTag(tag), None) => tidy.end(&tag.name),
            (Token::String(text), None) => tidy.text(&String::from_utf8_lossy(&text)),
            _ => {}
        }
    }
    tidy.close_to(0);
    tidy.out
}

#[derive(Clone, Copy)]
struct Open {
    /// In the output.
    name: &'static str,
    kind: Kind,
    /// Where its tag begins in the output.
    at: usize,
    /// Whether anything can be read in it.
    filled: bool,
}

#[derive(Default)]
struct Tidy {
    out: String,
    open: Vec<Open>,
    /// The levels, as written by the author, of the headings that the next one may stand below.
    headings: Vec<usize>,
}

impl Tidy {
    fn start(&mut self, tag: &StartTag<()>) {
        let attribute = |name: &[u8]| {
            let value = tag.attributes.get(name);
            value.map(|value| String::from_utf8_lossy(value).into_owned())
        };
        match &**tag.name {
            b"br" => {
                self.make_room_for_text();
                self.out.push_str("<br>");
            }
            b"hr" => {
                self.make_room_for_block();
                self.out.push_str("<hr>");
            }
            b"img" => self.image(&attribute(b"alt").unwrap_or_default()),
            // A task in a list. A real box would have to be labelled, and does nothing.
            b"input" if attribute(b"type").as_deref() == Some("checkbox") => {
                let checked = attribute(b"checked").is_some();
                self.text(if checked { "☑ " } else { "☐ " });
            }
            b"a" => self.link(attribute(b"href").as_deref().unwrap_or_default()),
            name => {
                if let Some((from, to, kind)) = known(name) {
                    self.element(from, to, kind);
                }
            }
        }
    }

    fn element(&mut self, from: &str, to: &'static str, kind: Kind) {
        let fits = match kind {
            Kind::Inline => {
                self.make_room_for_text();
                true
            }
            Kind::Block | Kind::List | Kind::Table => {
                self.make_room_for_block();
                true
            }
            Kind::Paragraph => {
                self.make_room_for_block();
                to != "summary" || self.inside(&[Kind::Block])
            }
            Kind::Item => {
                self.close_paragraphs();
                self.close_top(&[Kind::Item]);
                self.inside(&[Kind::List])
            }
            Kind::Section => {
                self.close_paragraphs();
                self.close_top(&[Kind::Cell]);
                self.close_top(&[Kind::Row]);
                self.close_top(&[Kind::Section]);
                self.inside(&[Kind::Table])
            }
            Kind::Row => {
                self.close_paragraphs();
                self.close_top(&[Kind::Cell]);
                self.close_top(&[Kind::Row]);
                self.inside(&[Kind::Table, Kind::Section])
            }
            Kind::Cell => {
                self.close_paragraphs();
                self.close_top(&[Kind::Cell]);
                self.inside(&[Kind::Row])
            }
        };
        if fits {
            let name = heading_level(from).map_or(to, |level| self.heading(level));
            self.push(name, kind, &format!("<{name}>"));
        }
    }

    /// Headings go down one level at a time, or readers who jump from one to the next get lost.
    fn heading(&mut self, level: usize) -> &'static str {
        while self.headings.last().is_some_and(|above| *above >= level) {
            self.headings.pop();
        }
        let depth = self.headings.len().min(3);
        self.headings.push(level);
        // The readme itself stands below an `h2`.
        ["h3", "h4", "h5", "h6"][depth]
    }

    fn link(&mut self, href: &str) {
        let href = href.trim();
        let scheme = href
            .split_once(':')
            .map(|(scheme, _)| scheme.to_lowercase());
        let outward = matches!(scheme.as_deref(), Some("http" | "https" | "mailto"));
        // Links within a repository, or within the readme, lead nowhere from here.
        if outward && !self.open.iter().any(|it| it.name == "a") {
            self.make_room_for_text();
            let tag = format!("<a href=\"{}\">", escaped(href));
            self.push("a", Kind::Inline, &tag);
        }
    }

    fn image(&mut self, alt: &str) {
        let alt = match alt.trim() {
            "" => "image",
            alt => alt,
        };
        self.make_room_for_text();
        self.out.push_str("<span class=\"image\">");
        self.fill(alt);
        self.out.push_str("</span>");
    }

    fn text(&mut self, text: &str) {
        if text.trim().is_empty() {
            let between = [Kind::List, Kind::Table, Kind::Section, Kind::Row];
            if !self.inside(&between) {
                self.out.push_str(&escaped(text));
            }
        } else {
            self.make_room_for_text();
            self.fill(text);
        }
    }

    fn fill(&mut self, text: &str) {
        self.out.push_str(&escaped(text));
        for open in &mut self.open {
            open.filled = true;
        }
    }

    fn end(&mut self, name: &[u8]) {
        let Some((from, to, kind)) = known(name) else {
            return;
        };
        let heading = heading_level(from).is_some();
        let is_it = |open: &Open| {
            open.kind == kind && (open.name == to || heading && heading_level(open.name).is_some())
        };
        let found = self.open.iter().rposition(is_it);
        // The end of something inline reaches no further than its paragraph.
        let within = |at: usize| {
            kind != Kind::Inline || self.open[at..].iter().all(|it| it.kind == Kind::Inline)
        };
        if let Some(at) = found.filter(|at| within(*at)) {
            self.close_to(at);
        }
    }

    fn inside(&self, kinds: &[Kind]) -> bool {
        self.open.last().is_some_and(|it| kinds.contains(&it.kind))
    }

    fn push(&mut self, name: &'static str, kind: Kind, tag: &str) {
        if self.open.len() < DEEPEST {
            let at = self.out.len();
            self.out.push_str(tag);
            let filled = false;
            self.open.push(Open {
                name,
                kind,
                at,
                filled,
            });
        }
    }

    /// Text in a list, but in no item of it, gets an item; text between the cells of a table ends it.
    fn make_room_for_text(&mut self) {
        if self.inside(&[Kind::List]) {
            self.push("li", Kind::Item, "<li>");
        }
        if self.inside(&[Kind::Table, Kind::Section, Kind::Row])
            && let Some(at) = self.open.iter().rposition(|it| it.kind == Kind::Table)
        {
            self.close_to(at);
        }
    }

    fn make_room_for_block(&mut self) {
        self.close_paragraphs();
        self.make_room_for_text();
    }

    fn close_paragraphs(&mut self) {
        while self.inside(&[Kind::Inline, Kind::Paragraph]) {
            self.close_to(self.open.len() - 1);
        }
    }

    fn close_top(&mut self, kinds: &[Kind]) {
        if self.inside(kinds) {
            self.close_to(self.open.len() - 1);
        }
    }

    /// Closes the element at this position and all in it. What nobody can read is taken back: an
    /// empty link or heading is a riddle when a page is read aloud.
    fn close_to(&mut self, at: usize) {
        while self.open.len() > at
            && let Some(closed) = self.open.pop()
        {
            if closed.filled {
                self.out.extend(["</", closed.name, ">"]);
            } else {
                self.out.truncate(closed.at);
                if closed.kind == Kind::Cell {
                    self.out.push_str("<td></td>");
                }
            }
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
}
