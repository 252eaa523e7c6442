//! Pages as devpi, bandersnatch and the index itself write them.

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
        size: None,
        metadata: CoreMetadata::Absent,
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

#[test]
fn what_a_page_promises_of_a_file() {
    let json = format!(
        r#"{{"meta": {{"_last-serial": 3}}, "files": [
            {{"filename": "a", "url": "a", "size": 7, "core-metadata": {{"sha256": "{HASH}"}}}},
            {{"filename": "b", "url": "b", "dist-info-metadata": true, "core-metadata": null}},
            {{"filename": "c", "url": "c", "core-metadata": false}}]}}"#
    );
    let html = format!(
        r#"<a href="a" data-dist-info-metadata="sha256={HASH}">a</a>
           <a href="b" data-core-metadata="true">b</a><a href="c">c</a>"#
    );
    let hashed = CoreMetadata::Hashed(HASH.parse().expect("a hash"));
    for (page, size) in [(json, Some(7)), (html, None)] {
        let files = read(page.as_bytes()).expect("a page").files;
        let promised: Vec<_> = files.iter().map(|file| file.metadata).collect();
        let expected = [hashed, CoreMetadata::Promised, CoreMetadata::Absent];
        assert_eq!(promised, expected, "{page}");
        assert_eq!(files[0].size, size);
    }
}

#[test]
fn the_legacy_document() {
    let text = format!(
        r#"{{"info": {{"name": "six"}}, "last_serial": 12, "releases": {{"1.0": [
            {{"filename": "six-1.0.tar.gz", "url": "http://index/packages/a/six-1.0.tar.gz",
              "digests": {{"sha256": "{HASH}", "md5": "x"}}, "size": 5, "requires_python": "",
              "yanked": true, "yanked_reason": "broken"}}], "0.9": []}}, "urls": []}}"#
    );
    let shown = read(text.as_bytes()).expect("a document");
    let file = ShownFile {
        filename: "six-1.0.tar.gz".to_owned(),
        sha256: HASH.parse().ok(),
        requires_python: None,
        yanked: Yank::Yes("broken".to_owned()),
        url: "http://index/packages/a/six-1.0.tar.gz".to_owned(),
        size: Some(5),
        metadata: CoreMetadata::Absent,
    };
    assert_eq!((shown.serial, shown.files), (Serial::new(12), vec![file]));
}
