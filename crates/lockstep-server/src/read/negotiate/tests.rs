//! The table of `Accept`, of `?format=`, and of codings.

use super::*;

fn asked(accept: &str) -> PageType {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, accept.parse().expect("header"));
    page_type(&headers, None)
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
    assert_eq!(page_type(&HeaderMap::new(), None), TextHtml);
}

#[test]
fn a_format_goes_before_accept_and_junk_is_ignored() {
    use PageType::{HtmlV1, JsonV1, TextHtml};
    const V1: &str = "application/vnd.pypi.simple.v1";
    const LATEST: &str = "application%2Fvnd.pypi.simple.latest%2B";
    let mut headers = HeaderMap::new();
    let accept = format!("{V1}+json");
    headers.insert(ACCEPT, accept.parse().expect("header"));
    for (query, wanted) in [
        ("format=text/html".to_owned(), TextHtml),
        ("format=text%2Fhtml".to_owned(), TextHtml),
        (format!("format={V1}+html"), HtmlV1),
        (format!("format={V1}%2bhtml"), HtmlV1),
        (format!("format={LATEST}html"), HtmlV1),
        (format!("a=b&format={LATEST}json&c"), JsonV1),
        (format!("format=junk&format={V1}+html"), HtmlV1),
        // Nothing of this is a format: `Accept` decides.
        (String::new(), JsonV1),
        ("format".to_owned(), JsonV1),
        ("format=".to_owned(), JsonV1),
        ("format=html".to_owned(), JsonV1),
        ("format=%FF".to_owned(), JsonV1),
        ("Format=text/html".to_owned(), JsonV1),
        ("xformat=text/html".to_owned(), JsonV1),
    ] {
        assert_eq!(page_type(&headers, Some(&query)), wanted, "{query}");
    }
}

#[test]
fn codings_are_ordered_as_the_request_likes_them() {
    use Coding::{Gzip, Identity, Zstd};
    for (accepted, wanted) in [
        ("gzip, deflate", &[Gzip, Identity][..]),
        ("gzip, deflate, br, zstd", &[Zstd, Gzip, Identity]),
        ("zstd;q=0.5, gzip;q=0.8", &[Gzip, Zstd, Identity]),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", &[Gzip, Identity]),
        ("X-GZIP", &[Gzip, Identity]),
        ("identity", &[Identity]),
        ("identity, gzip;q=0.5", &[Identity, Gzip]),
        ("gzip;q=0", &[Identity]),
        ("gzip;q=0, zstd;q=0.001", &[Zstd, Identity]),
        ("gzip, identity;q=0", &[Gzip]),
        ("gzip, *;q=0", &[Gzip]),
        ("*", &[Gzip, Identity]),
        ("*;q=0", &[]),
        ("identity;q=0", &[]),
        ("deflate, br", &[Identity]),
        ("gzip;q=junk", &[Identity]),
        ("", &[Identity]),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, accepted.parse().expect("header"));
        assert_eq!(codings(&headers), wanted, "{accepted}");
    }
    assert_eq!(codings(&HeaderMap::new()), [Identity]);
}
