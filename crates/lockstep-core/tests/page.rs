//! The page as a promise: same state, same bytes; whatever the state holds, well-formed; and the bytes
//! of one state written down here for ever.

use lockstep_core::digest::{FileHasher, Sha256};
use lockstep_core::filename::DistFilename;
use lockstep_core::manifest::files_of_content;
use lockstep_core::page::{
    DraftForm, FileEntry, FileLinks, Form, ProjectState, RENDERER, page_time, render,
};
use lockstep_core::serial::Serial;
use lockstep_core::status::{ProjectStatus, Reason, Yanked};
use proptest::prelude::*;

fn file(name: &str, version: &str) -> FileEntry {
    let mut hasher = FileHasher::default();
    hasher.update(name.as_bytes());
    let digests = hasher.finish();
    FileEntry {
        filename: DistFilename::from_stored(name.to_owned()),
        version: version.parse().expect("version"),
        size: digests.size,
        sha256: digests.sha256,
        blake2b_256: digests.blake2b_256,
        requires_python: None,
        yanked: Yanked::No,
        metadata_sha256: None,
        upload_time: "2026-11-22T01:02:03.123456Z".parse().expect("time"),
        provenance_url: None,
    }
}

fn state(files: Vec<FileEntry>) -> ProjectState {
    ProjectState {
        name: "sample-project".parse().expect("name"),
        status: ProjectStatus::Active,
        status_reason: None,
        files,
    }
}

/// A state in which every optional thing is there once.
fn rich() -> ProjectState {
    let mut wheel = file("sample_project-1.10-py3-none-any.whl", "1.10");
    wheel.requires_python = Some(">=3.8,<4".parse().expect("specifiers"));
    wheel.metadata_sha256 = Some(Sha256::of(b"metadata"));
    let mut sdist = file("sample_project-1.9.tar.gz", "1.9");
    sdist.yanked = Yanked::Yes(Some("<b>\"broken\" & 'bad'</b>".parse().expect("reason")));
    sdist.upload_time = "2026-11-22T01:02:03Z".parse().expect("time");
    let mut old = file("sample_project-1.0.tar.gz", "1.0");
    old.yanked = Yanked::Yes(None);
    state(vec![wheel, sdist, old])
}

fn bytes(draft: &DraftForm, form: Form, serial: Serial) -> Vec<u8> {
    [draft.body(), form.tail(serial).as_bytes()].concat()
}

fn serial(number: u64) -> Serial {
    Serial::new(number).expect("in range")
}

/// Frozen. A change of these bytes is a new [`RENDERER`], an ADR, and a row for every project.
#[test]
fn the_bytes_of_renderer_1_are_these() {
    assert_eq!(RENDERER, 1);
    let draft = render(rich(), &FileLinks::Relative);
    let html = String::from_utf8(bytes(&draft.html, Form::Html, serial(7))).expect("text");
    assert_eq!(html, include_str!("page/rich.html"));
    let json = String::from_utf8(bytes(&draft.json, Form::Json, serial(7))).expect("text");
    assert_eq!(json, include_str!("page/rich.json"));
    assert_eq!(
        String::from_utf8(draft.content).expect("text"),
        include_str!("page/rich.content")
    );
}

#[test]
fn what_is_sealed_is_the_hash_of_what_is_served() {
    let draft = render(rich(), &FileLinks::Relative);
    for number in [1, 9, 10, 1_000_000_007] {
        for (form, half) in [(Form::Html, &draft.html), (Form::Json, &draft.json)] {
            let whole = bytes(half, form, serial(number));
            let sealed = half.seal(serial(number));
            assert_eq!(sealed.sha256, Sha256::of(&whole));
            assert_eq!(sealed.size, whole.len() as u64);
            assert_eq!(form.serial_of(&whole), Some(serial(number)));
        }
    }
}

#[test]
fn a_file_with_provenance_says_where_it_is() {
    let mut wheel = file("sample_project-2.0-py3-none-any.whl", "2.0");
    wheel.metadata_sha256 = Some(Sha256::of(b"metadata"));
    wheel.provenance_url = Some("https://index.example.org/integrity/x?a&b".to_owned());
    let mut sdist = file("sample_project-2.0.tar.gz", "2.0");
    sdist.provenance_url = Some("https://index.example.org/integrity/y".to_owned());
    let draft = render(state(vec![wheel, sdist]), &FileLinks::Relative);
    let html = String::from_utf8_lossy(draft.html.body());
    // The space is the attribute's own, as in the public index's template.
    assert!(html.contains(
        "\" data-provenance=\"https://index.example.org/integrity/x?a&amp;b\">sample_project-2.0-py3"
    ));
    assert!(html.contains(
        "\"  data-provenance=\"https://index.example.org/integrity/y\">sample_project-2.0.tar.gz<"
    ));
    let json = bytes(&draft.json, Form::Json, serial(7));
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(
        json["files"][0]["provenance"],
        "https://index.example.org/integrity/x?a&b"
    );
    assert_eq!(
        json["files"][1]["provenance"],
        "https://index.example.org/integrity/y"
    );
}

#[test]
fn links_may_point_elsewhere_and_a_quarantined_project_shows_nothing() {
    let elsewhere = FileLinks::At("https://files.example.org".to_owned());
    let draft = render(rich(), &elsewhere);
    let html = String::from_utf8_lossy(draft.html.body()).into_owned();
    assert_eq!(
        html.matches("href=\"https://files.example.org/packages/")
            .count(),
        3
    );
    let mut gone = rich();
    gone.status = ProjectStatus::Quarantined;
    let draft = render(gone, &elsewhere);
    assert_eq!((draft.files_count, draft.content.len()), (0, 0));
    assert!(!String::from_utf8_lossy(draft.html.body()).contains("href"));
}

#[test]
fn times_have_microseconds_only_when_there_are_any() {
    let time = |text: &str| page_time(text.parse().expect("time"));
    assert_eq!(time("2026-01-02T03:04:05Z"), "2026-01-02T03:04:05Z");
    assert_eq!(
        time("2026-01-02T03:04:05.000120Z"),
        "2026-01-02T03:04:05.000120Z"
    );
}

fn versions() -> impl Strategy<Value = Vec<FileEntry>> {
    // Equal versions in two spellings, so that only the file name decides.
    let version = prop_oneof!["[0-9]{1,2}(\\.[0-9]{1,2}){0,2}(a1|rc2|\\.post1|\\.dev3)?"];
    proptest::collection::btree_map("[a-z]{1,8}", version, 0..12).prop_map(|names| {
        let entry = |(name, version): (String, String)| file(&format!("{name}.tar.gz"), &version);
        names.into_iter().map(entry).collect()
    })
}

proptest! {
    #[test]
    fn the_order_in_which_rows_come_changes_no_byte(
        files in versions(), seed in proptest::num::u64::ANY,
    ) {
        let mut shuffled = files.clone();
        // A cheap permutation that depends on the seed alone.
        shuffled.sort_by_key(|file| Sha256::of(format!("{seed}{}", file.filename).as_bytes()));
        let one = render(state(files), &FileLinks::Relative);
        let other = render(state(shuffled), &FileLinks::Relative);
        prop_assert_eq!(one.html.body(), other.html.body());
        prop_assert_eq!(one.json.body(), other.json.body());
        prop_assert_eq!(one.content, other.content);
        prop_assert_eq!(one.files_sha256, other.files_sha256);
    }

    #[test]
    fn whatever_a_reason_holds_the_page_is_well_formed_and_says_it(text in "\\PC{1,60}") {
        let Ok(reason) = text.parse::<Reason>() else { return Ok(()) };
        let mut entry = file("a-1.tar.gz", "1");
        entry.yanked = Yanked::Yes(Some(reason.clone()));
        let mut state = state(vec![entry]);
        state.status_reason = Some(reason.clone());
        let draft = render(state, &FileLinks::Relative);
        let html = String::from_utf8(bytes(&draft.html, Form::Html, serial(1))).expect("text");
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        let page = roxmltree::Document::parse_with_options(&html, options).expect("well-formed XML");
        let anchor = page.descendants().find(|node| node.has_tag_name("a")).expect("an anchor");
        prop_assert_eq!(anchor.attribute("data-yanked"), Some(reason.as_str()));
        let json = bytes(&draft.json, Form::Json, serial(1));
        let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        prop_assert_eq!(json["files"][0]["yanked"].as_str(), Some(reason.as_str()));
    }

    #[test]
    fn the_files_manifest_is_the_content_with_fewer_columns(files in versions()) {
        let draft = render(state(files), &FileLinks::Relative);
        let files = files_of_content(&draft.content).expect("a content manifest");
        prop_assert_eq!(Sha256::of(&files), draft.files_sha256);
        prop_assert_eq!(Sha256::of(&draft.content), draft.content_sha256);
    }
}
