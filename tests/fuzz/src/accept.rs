//! Negotiation: `?format=`, `Accept`, `Accept-Encoding`.
//!
//! The rules are read here a second time, only as far as to know what must never be chosen.

use axum::http::header::{ACCEPT, ACCEPT_ENCODING};
use axum::http::{HeaderMap, HeaderValue};
use lockstep_core::page::Form;
use lockstep_server::read::negotiate::{Coding, PageType, codings, page_type};

/// Lines: the query, then values of `Accept` (those that begin with `A`) and of `Accept-Encoding`. What
/// was refused by `q=0` is not chosen, nor what was not asked for.
pub fn accept(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let query = lines.next().unwrap_or_default();
    let query = std::str::from_utf8(query).ok();
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some((first, value)) = line.split_first() else {
            continue;
        };
        let name = if *first == b'A' {
            ACCEPT
        } else {
            ACCEPT_ENCODING
        };
        let Ok(value) = HeaderValue::from_bytes(value) else {
            continue;
        };
        headers.append(name, value);
    }
    let by_query = page_type(&HeaderMap::new(), query);
    let by_header = page_type(&headers, None);
    let both = page_type(&headers, query);
    // Without a word, a page is plain HTML; else the query goes first.
    assert!(both == by_query || both == by_header);
    assert!(by_query == PageType::TextHtml || both == by_query);
    assert!(query.is_some_and(|query| query.contains("format=")) || both == by_header);
    check_type(by_header, &asked(&headers, &ACCEPT));
    check_codings(&codings(&headers), &asked(&headers, &ACCEPT_ENCODING));
    both != PageType::TextHtml || codings(&headers) != [Coding::Identity]
}

fn check_type(chosen: PageType, asked: &[(String, bool)]) {
    let text = chosen.content_type();
    assert_eq!(chosen.form() == Form::Json, text.ends_with("+json"));
    // What everybody gets who asks for nothing that there is.
    if chosen == PageType::TextHtml {
        return;
    }
    let exact = about(asked, text);
    if exact.is_empty() {
        let wide = [about(asked, "application/*"), about(asked, "*/*")].concat();
        assert!(wide.contains(&true), "{chosen:?} of {asked:?}");
    } else {
        assert!(exact.contains(&true), "{chosen:?} of {asked:?}");
    }
}

fn check_codings(chosen: &[Coding], asked: &[(String, bool)]) {
    assert!(chosen.len() <= 3);
    let has = |coding| chosen.iter().filter(|it| **it == coding).count();
    for (coding, names) in [
        (Coding::Zstd, &["zstd"][..]),
        (Coding::Gzip, &["gzip", "x-gzip", "*"]),
        (Coding::Identity, &["identity", "*"]),
    ] {
        let words: Vec<bool> = names.iter().flat_map(|name| about(asked, name)).collect();
        assert!(has(coding) <= 1);
        if has(coding) == 1 {
            let unasked = coding == Coding::Identity && words.is_empty();
            assert!(unasked || words.contains(&true), "{coding:?} of {asked:?}");
        } else if coding == Coding::Identity {
            assert!(words.contains(&false), "{asked:?}");
        }
    }
}

/// Each value in small letters, and whether it is wanted at all.
fn asked(headers: &HeaderMap, name: &axum::http::HeaderName) -> Vec<(String, bool)> {
    let values = headers.get_all(name).into_iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|value| {
            let mut parts = value.split(';').map(str::trim);
            let what = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts.find_map(|part| {
                let (name, value) = part.split_once('=')?;
                name.trim()
                    .eq_ignore_ascii_case("q")
                    .then(|| value.trim().to_owned())
            });
            // Three digits count (RFC 9110 §12.4.2); what is no number is no wish.
            let wanted = quality.is_none_or(|quality| {
                let quality: f32 = quality.parse().unwrap_or(0.0);
                (quality * 1000.0).round() >= 1.0
            });
            (what, wanted)
        })
        .collect()
}

fn about(asked: &[(String, bool)], name: &str) -> Vec<bool> {
    let hits = asked.iter().filter(|(what, _)| what == name);
    hits.map(|(_, wanted)| *wanted).collect()
}
