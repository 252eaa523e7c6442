//! A simple page that somebody else rendered, read for its files: HTML (PEP 503) or JSON (PEP 691).
//!
//! Lenient, because mirrors are: HTML need not be XML, and JSON may leave out what PEP 691 lets it.
//! Not here: whether the page is right.

use html5gum::{HtmlString, StartTag, Token, Tokenizer};
use lockstep_core::digest::Sha256;
use lockstep_core::serial::Serial;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Deserializer};

use crate::manifest::Yank;

/// A file as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownFile {
    /// Its name.
    pub filename: String,
    /// The hash that the page names.
    pub sha256: Option<Sha256>,
    /// `data-requires-python`, undone from HTML; an empty one is none.
    pub requires_python: Option<String>,
    /// Whether it is yanked.
    pub yanked: Yank,
    /// Where the link points, without its fragment.
    pub url: String,
}

/// A page, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// The serial that the page says it shows.
    pub serial: Option<Serial>,
    /// Its files.
    pub files: Vec<ShownFile>,
}

/// Reads a page; `None` when it is neither form.
pub fn read(bytes: &[u8]) -> Option<Shown> {
    match bytes.trim_ascii_start().first()? {
        b'{' => json(bytes),
        b'<' => Some(html(bytes)),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Document {
    meta: DocumentMeta,
    files: Vec<DocumentFile>,
}

#[derive(Deserialize)]
struct DocumentMeta {
    #[serde(rename = "_last-serial", default, deserialize_with = "lenient_serial")]
    last_serial: Option<Serial>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct DocumentFile {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: Hashes,
    requires_python: Option<String>,
    yanked: Option<Yank>,
}

#[derive(Default, Deserialize)]
struct Hashes {
    sha256: Option<Sha256>,
}

/// bandersnatch writes the serial as a string.
fn lenient_serial<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Serial>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(Serial),
        Text(String),
    }
    Ok(match Option::<Either>::deserialize(deserializer)? {
        Some(Either::Number(serial)) => Some(serial),
        Some(Either::Text(text)) => text.parse().ok(),
        None => None,
    })
}

fn json(bytes: &[u8]) -> Option<Shown> {
    let document: Document = serde_json::from_slice(bytes).ok()?;
    let files = document.files.into_iter().map(|file| ShownFile {
        filename: file.filename,
        sha256: file.hashes.sha256,
        requires_python: file.requires_python.filter(|text| !text.is_empty()),
        yanked: file.yanked.unwrap_or_default(),
        url: without_fragment(&file.url).to_owned(),
    });
    Some(Shown {
        serial: document.meta.last_serial,
        files: files.collect(),
    })
}

fn html(bytes: &[u8]) -> Shown {
    let mut shown = Shown::default();
    for Ok(token) in Tokenizer::new(bytes) {
        match token {
            Token::StartTag(tag) if **tag.name == *b"a" => shown.files.extend(link(&tag)),
            Token::Comment(comment) => {
                let text = String::from_utf8_lossy(&comment);
                let serial = text.strip_prefix("SERIAL ").and_then(|n| n.parse().ok());
                shown.serial = serial.or(shown.serial);
            }
            _ => {}
        }
    }
    shown
}

fn link(tag: &StartTag<()>) -> Option<ShownFile> {
    let attribute = |name: &str| {
        let name = HtmlString(name.as_bytes().to_vec());
        let value = tag.attributes.get(&name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    };
    let href = attribute("href")?;
    let url = without_fragment(&href);
    let path = url.split('?').next()?;
    // PEP 503: the last part of the path is the file name.
    let filename = percent_decode_str(path.rsplit('/').next()?)
        .decode_utf8()
        .ok()?;
    if filename.is_empty() {
        return None;
    }
    let fragment = href.split_once('#').map_or("", |(_, fragment)| fragment);
    Some(ShownFile {
        filename: filename.into_owned(),
        sha256: fragment
            .split('&')
            .find_map(|part| part.strip_prefix("sha256=")?.parse().ok()),
        requires_python: attribute("data-requires-python").filter(|text| !text.is_empty()),
        yanked: attribute("data-yanked").map_or(Yank::No, Yank::Yes),
        url: url.to_owned(),
    })
}

fn without_fragment(url: &str) -> &str {
    url.split('#').next().unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_page_as_devpi_renders_it() {
        let page = format!(
            r#"{{"meta": {{"api-version": "1.0"}}, "name": "six", "files": [
                {{"filename": "six-1.0.tar.gz", "hashes": {{"sha256": "{HASH}"}},
                  "url": "../../+f/ba7/816bf8f01cfea/six-1.0.tar.gz",
                  "requires-python": ">=3.9", "yanked": "broken"}},
                {{"filename": "six-1.1.tar.gz", "hashes": {{}}, "url": "six-1.1.tar.gz"}}]}}"#
        );
        let shown = read(page.as_bytes()).expect("JSON");
        assert_eq!(shown.serial, None);
        let first = ShownFile {
            filename: "six-1.0.tar.gz".to_owned(),
            sha256: HASH.parse().ok(),
            requires_python: Some(">=3.9".to_owned()),
            yanked: Yank::Yes("broken".to_owned()),
            url: "../../+f/ba7/816bf8f01cfea/six-1.0.tar.gz".to_owned(),
        };
        assert_eq!(shown.files[0], first);
        assert_eq!(
            (shown.files[1].sha256, &shown.files[1].yanked),
            (None, &Yank::No)
        );
    }

    #[test]
    fn a_page_as_devpi_writes_html_and_the_serials_of_bandersnatch() {
        let page = format!(
            "<!DOCTYPE html><html lang=\"en\"><head><title>root/m: links for a-b</title></head>\
             <body><h1>root/m: links for a-b</h1>\n\
             <form action=\"http://devpi/team/m/+simple/a-b/refresh\" method=\"post\">\
             <input name=\"refresh\" type=\"submit\" value=\"Refresh\"></form>root/m \
             <a href=\"../../+f/ba7/816bf8f01cfea/a%2Bb-1.0.tar.gz#sha256={HASH}\" \
             data-requires-python=\"&gt;=3.9\" data-yanked=\"\">a+b-1.0.tar.gz</a><br>\n\
             </body></html><!--SERIAL 17-->"
        );
        let shown = read(page.as_bytes()).expect("HTML");
        assert_eq!(shown.serial, Serial::new(17));
        assert_eq!(shown.files.len(), 1);
        assert_eq!(shown.files[0].filename, "a+b-1.0.tar.gz");
        assert_eq!(shown.files[0].requires_python.as_deref(), Some(">=3.9"));
        assert_eq!(shown.files[0].yanked, Yank::Yes(String::new()));
        let shown = read(br#"{"files": [], "meta": {"_last-serial": "1009"}}"#);
        assert_eq!(shown.expect("JSON").serial, Serial::new(1009));
        assert_eq!(read(b"gone"), None);
    }
}
