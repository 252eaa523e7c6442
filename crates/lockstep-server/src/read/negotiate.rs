//! Which representation a request wants: the `Accept` table of the public index, and gzip.
//!
//! Deviations from the textbook are the public index's own (facts: warehouse §3.1): an `Accept` that
//! matches nothing, or can't be read, gets `text/html` and never 406.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING};
use lockstep_core::page::Form;

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
pub fn page_type(headers: &HeaderMap) -> PageType {
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

/// Whether the request takes gzip.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let mut star = None;
    for coding in values(headers, &ACCEPT_ENCODING) {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = parse_quality(parameters);
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => return quality > 0,
            "*" => star = Some(quality),
            _ => {}
        }
    }
    star.is_some_and(|quality| quality > 0)
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
            return (value.clamp(0.0, 1.0) * 1000.0) as u16;
        }
    }
    1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(accept: &str) -> PageType {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().expect("header"));
        page_type(&headers)
    }

    #[test]
    fn every_known_client_gets_what_it_wants() {
        use PageType::{HtmlV1, JsonV1, TextHtml};
        const V1: &str = "application/vnd.pypi.simple.v1";
        for (accept, wanted) in [
            // pip, uv, devpi, poetry, bandersnatch, old pip, a browser, curl
            (
                format!("{V1}+json, {V1}+html; q=0.1, text/html; q=0.01"),
                JsonV1,
            ),
            (
                format!("{V1}+json, {V1}+html;q=0.2, text/html;q=0.01"),
                JsonV1,
            ),
            (
                format!("{V1}+html;q=0.2, {V1}+json, text/html;q=0.01"),
                JsonV1,
            ),
            (format!("{V1}+json, */*;q=0.1"), JsonV1),
            (format!("{V1}+json"), JsonV1),
            ("text/html".to_owned(), TextHtml),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8".to_owned(),
                TextHtml,
            ),
            ("*/*".to_owned(), TextHtml),
            // The public index's own odd ones
            ("application/*".to_owned(), HtmlV1),
            (format!("text/*, {V1}+json"), TextHtml),
            ("application/json".to_owned(), TextHtml),
            ("application/vnd.pypi.simple.v2+json".to_owned(), TextHtml),
            (
                "application/vnd.pypi.simple.latest+json".to_owned(),
                TextHtml,
            ),
            (format!("{V1}+html"), HtmlV1),
            (format!("{V1}+json;q=0, */*"), TextHtml),
            (String::new(), TextHtml),
            ("garbage;;,/".to_owned(), TextHtml),
        ] {
            assert_eq!(asked(&accept), wanted, "{accept}");
        }
        assert_eq!(page_type(&HeaderMap::new()), TextHtml);
    }

    #[test]
    fn gzip_is_taken_only_when_offered() {
        for (accepted, wanted) in [
            ("gzip, deflate", true),
            ("br;q=1.0, gzip;q=0.8, *;q=0.1", true),
            ("identity", false),
            ("gzip;q=0", false),
            ("*", true),
            ("*;q=0", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, accepted.parse().expect("header"));
            assert_eq!(takes_gzip(&headers), wanted, "{accepted}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
