//! Which representation a request wants: `?format=`, the `Accept` table of the public index, and codings.
//!
//! Deviations from the textbook are the public index's own (docs/comparison.md): an `Accept` that
//! matches nothing, or can't be read, gets `text/html` and never 406. So does an `Accept-Encoding` that
//! takes nothing of ours: it gets the bytes as they are.

use std::cmp::Reverse;

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING};
use lockstep_core::page::Form;
use percent_encoding::percent_decode_str;

/// The three types of a simple page; two of them are the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageType {
    /// What people and old clients ask for.
    TextHtml,
    /// The same bytes under the versioned name (PEP 691).
    HtmlV1,
    /// JSON (PEP 691).
    JsonV1,
}

impl PageType {
    /// The `Content-Type`. JSON exactly so: devpi takes it for HTML with any parameter behind it.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::TextHtml => "text/html; charset=UTF-8",
            Self::HtmlV1 => "application/vnd.pypi.simple.v1+html",
            Self::JsonV1 => "application/vnd.pypi.simple.v1+json",
        }
    }

    /// Which bytes it is.
    pub fn form(self) -> Form {
        match self {
            Self::TextHtml | Self::HtmlV1 => Form::Html,
            Self::JsonV1 => Form::Json,
        }
    }
}

/// In the order of preference when qualities tie.
const OFFERS: [(PageType, &str, &str); 3] = [
    (PageType::TextHtml, "text", "html"),
    (PageType::HtmlV1, "application", "vnd.pypi.simple.v1+html"),
    (PageType::JsonV1, "application", "vnd.pypi.simple.v1+json"),
];

/// The type a request gets.
pub fn page_type(headers: &HeaderMap, query: Option<&str>) -> PageType {
    if let Some(asked) = query.and_then(asked_format) {
        return asked;
    }
    let ranges: Vec<Range> = values(headers, &ACCEPT).filter_map(Range::parse).collect();
    let mut best = (PageType::TextHtml, 0);
    for (offer, kind, subtype) in OFFERS {
        let quality = quality(&ranges, kind, subtype);
        if quality > best.1 {
            best = (offer, quality);
        }
    }
    best.0
}

/// `?format=` with the full media type: the choice of people whose tool can't set headers. It goes before
/// `Accept`; of several, the first that names a type counts. Anything else is ignored, as are all other
/// parameters.
fn asked_format(query: &str) -> Option<PageType> {
    let values = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("format="));
    values
        .filter_map(|value| percent_decode_str(value).decode_utf8().ok())
        .find_map(|value| {
            // People write `+` as it is, which in a query means a blank.
            let value = value.replace(' ', "+");
            let named = FORMATS.iter().find(|(name, _)| *name == value)?;
            Some(named.1)
        })
}

const FORMATS: [(&str, PageType); 5] = [
    ("text/html", PageType::TextHtml),
    ("application/vnd.pypi.simple.v1+html", PageType::HtmlV1),
    ("application/vnd.pypi.simple.v1+json", PageType::JsonV1),
    ("application/vnd.pypi.simple.latest+html", PageType::HtmlV1),
    ("application/vnd.pypi.simple.latest+json", PageType::JsonV1),
];

/// How a body is packed for the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 8878, RFC 9659.
    Zstd,
    /// What every client since 1999 reads.
    Gzip,
    /// As it is.
    Identity,
}

impl Coding {
    /// The word in `Content-Encoding`; identity has none.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Zstd => Some("zstd"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }
}

/// The codings that a request takes, best first; where it has no preference, the shortest first. Empty:
/// it takes none of ours. `*` means gzip: who does not name zstd may not know it.
pub fn codings(headers: &HeaderMap) -> Vec<Coding> {
    let (mut zstd, mut gzip, mut identity, mut star) = (None, None, None, None);
    for coding in values(headers, &ACCEPT_ENCODING) {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = Some(parse_quality(parameters));
        match name.trim().to_ascii_lowercase().as_str() {
            "zstd" => zstd = quality,
            "gzip" | "x-gzip" => gzip = quality,
            "identity" => identity = quality,
            "*" => star = quality,
            _ => {}
        }
    }
    let mut taken = vec![
        (Coding::Zstd, zstd.unwrap_or(0)),
        (Coding::Gzip, gzip.or(star).unwrap_or(0)),
        // Not named, it is taken, and behind whatever is named (RFC 9110 §12.5.3).
        (Coding::Identity, identity.or(star).unwrap_or(1)),
    ];
    taken.retain(|(_, quality)| *quality > 0);
    // Stable: of equals, the first stays first.
    taken.sort_by_key(|(_, quality)| Reverse(*quality));
    taken.into_iter().map(|(coding, _)| coding).collect()
}

fn values<'a>(
    headers: &'a HeaderMap,
    name: &axum::http::HeaderName,
) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// In thousandths.
    quality: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (range, parameters) = text.split_once(';').unwrap_or((text, ""));
        let (kind, subtype) = range.trim().split_once('/')?;
        Some(Self {
            kind,
            subtype,
            quality: parse_quality(parameters),
        })
    }

    /// 3 for an exact match, 2 for `type/*`, 1 for `*/*`.
    fn specificity(&self, kind: &str, subtype: &str) -> Option<u8> {
        match (self.kind, self.subtype) {
            ("*", "*") => Some(1),
            (k, "*") if k.eq_ignore_ascii_case(kind) => Some(2),
            (k, s) if k.eq_ignore_ascii_case(kind) && s.eq_ignore_ascii_case(subtype) => Some(3),
            _ => None,
        }
    }
}

/// The most specific range decides (RFC 9110 §12.5.1).
fn quality(ranges: &[Range<'_>], kind: &str, subtype: &str) -> u16 {
    ranges
        .iter()
        .filter_map(|range| Some((range.specificity(kind, subtype)?, range.quality)))
        .max()
        .map_or(0, |(_, quality)| quality)
}

/// `q=0.25` in thousandths; absent is 1.
fn parse_quality(parameters: &str) -> u16 {
    for parameter in parameters.split(';') {
        let Some((name, value)) = parameter.split_once('=') else {
            continue;
        };
        if name.trim().eq_ignore_ascii_case("q") {
            let value: f32 = value.trim().parse().unwrap_or(0.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped"
            )]
            return (value.clamp(0.0, 1.0) * 1000.0).round() as u16;
        }
    }
    1000
}

#[cfg(test)]
mod tests;
