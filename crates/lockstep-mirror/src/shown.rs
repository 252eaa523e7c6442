//! A page that somebody else rendered, read for its files: HTML (PEP 503), JSON (PEP 691), or the
//! legacy JSON that bandersnatch keeps beside them.
//!
//! Lenient, because mirrors are: HTML need not be XML, and JSON may leave out what PEP 691 lets it.
//! Not here: whether the page is right.

mod legacy;

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
    /// How long the page says it is; HTML does not say.
    pub size: Option<u64>,
    /// Whether the page promises its metadata beside it.
    pub metadata: CoreMetadata,
}

/// Whether a file's metadata document is beside it, under `.metadata` (PEP 658, PEP 714).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CoreMetadata {
    /// Not promised.
    #[default]
    Absent,
    /// Promised, with no hash.
    Promised,
    /// Promised, with this hash.
    Hashed(Sha256),
}

impl CoreMetadata {
    /// As HTML says it: `sha256=…`, or `true`.
    fn of_attribute(text: &str) -> Self {
        let hash = text
            .strip_prefix("sha256=")
            .and_then(|hex| hex.parse().ok());
        match hash {
            Some(sha256) => Self::Hashed(sha256),
            None if text == "false" => Self::Absent,
            None => Self::Promised,
        }
    }
}

/// A page, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// The serial that the page says it shows.
    pub serial: Option<Serial>,
    /// Its files.
    pub files: Vec<ShownFile>,
}

/// Reads a page; `None` when it is none of the forms.
pub fn read(bytes: &[u8]) -> Option<Shown> {
    match bytes.trim_ascii_start().first()? {
        b'{' => json(bytes).or_else(|| legacy::read(bytes)),
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
    size: Option<u64>,
    core_metadata: Option<MetadataField>,
    /// Its name before PEP 714.
    dist_info_metadata: Option<MetadataField>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum MetadataField {
    Flag(bool),
    Hashes(Hashes),
}

impl From<MetadataField> for CoreMetadata {
    fn from(field: MetadataField) -> Self {
        match field {
            MetadataField::Flag(false) => Self::Absent,
            MetadataField::Flag(true) => Self::Promised,
            MetadataField::Hashes(hashes) => hashes.sha256.map_or(Self::Promised, Self::Hashed),
        }
    }
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
        size: file.size,
        metadata: file
            .core_metadata
            .or(file.dist_info_metadata)
            .map_or(CoreMetadata::Absent, CoreMetadata::from),
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
        size: None,
        metadata: attribute("data-core-metadata")
            .or_else(|| attribute("data-dist-info-metadata"))
            .map_or(CoreMetadata::Absent, |text| {
                CoreMetadata::of_attribute(&text)
            }),
    })
}

fn without_fragment(url: &str) -> &str {
    url.split('#').next().unwrap_or(url)
}

#[cfg(test)]
mod tests;
