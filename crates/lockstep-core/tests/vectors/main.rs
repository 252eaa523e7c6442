//! Agreement with Python's `packaging`, on the vectors that `tests/vectors/make.py` writes.
//!
//! Where Rust differs on purpose, the row is listed with its reason, and a listed row that does
//! not differ (any more) fails as well.

mod filenames;
mod metadata;

use std::collections::BTreeSet;

use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_core::version::{RequiresPython, Version};
use serde::Deserialize;
use serde::de::DeserializeOwned;

fn rows<Row: DeserializeOwned>(json: &str) -> Vec<Row> {
    serde_json::from_str(json).expect("vectors written by make.py")
}

/// The rows on which accepting and refusing differ, to be compared with the listed exceptions.
#[derive(Default)]
struct Differences(BTreeSet<String>);

impl Differences {
    /// Takes a row, and says whether both accept it.
    fn both_accept(&mut self, row: &str, packaging: bool, rust: bool) -> bool {
        if packaging != rust {
            self.0.insert(row.to_owned());
        }
        packaging && rust
    }

    fn are_only(&self, exceptions: &[(&str, &str)]) {
        let listed: BTreeSet<String> = exceptions
            .iter()
            .map(|(row, _)| (*row).to_owned())
            .collect();
        let unlisted: Vec<_> = self.0.difference(&listed).collect();
        let stale: Vec<_> = listed.difference(&self.0).collect();
        assert!(
            unlisted.is_empty(),
            "differing from `packaging`: {unlisted:#?}"
        );
        assert!(stale.is_empty(), "listed, but not differing: {stale:#?}");
    }
}

#[test]
fn names_are_accepted_and_normalized_alike() {
    #[derive(Deserialize)]
    struct Row {
        name: String,
        normalized: Option<String>,
    }

    let mut differences = Differences::default();
    for row in rows::<Row>(include_str!("../../../../tests/vectors/names.json")) {
        let name = row.name.parse::<ProjectName>();
        if differences.both_accept(&row.name, row.normalized.is_some(), name.is_ok()) {
            let normalized = name.expect("accepted").normalized();
            assert_eq!(
                Some(normalized.as_str()),
                row.normalized.as_deref(),
                "{}",
                row.name
            );
        }
        let is_normal = row.normalized.as_ref() == Some(&row.name) && row.name.len() <= 100;
        assert_eq!(
            row.name.parse::<NormalizedName>().is_ok(),
            is_normal,
            "{}",
            row.name
        );
    }
    differences.are_only(&[(
        &"a".repeat(101),
        "names end at 100 bytes, so that file names fit",
    )]);
}

#[test]
fn versions_are_accepted_and_displayed_alike() {
    #[derive(Deserialize)]
    struct Row {
        text: String,
        version: Option<String>,
        canonical: Option<String>,
        prerelease: Option<bool>,
        local: Option<bool>,
    }

    let mut differences = Differences::default();
    for row in rows::<Row>(include_str!("../../../../tests/vectors/versions.json")) {
        let version = row.text.parse::<Version>();
        if differences.both_accept(&row.text, row.version.is_some(), version.is_ok()) {
            let version = version.expect("accepted");
            assert_eq!(Some(version.to_string()), row.version, "{}", row.text);
            assert_eq!(Some(version.canonical()), row.canonical, "{}", row.text);
            assert_eq!(
                Some(version.is_prerelease()),
                row.prerelease,
                "{}",
                row.text
            );
            assert_eq!(Some(version.has_local()), row.local, "{}", row.text);
        }
    }
    let too_big = "numbers are of 64 bits";
    let separator = "Python takes the ASCII separators for white space, Unicode does not";
    differences.are_only(&[
        ("18446744073709551616", too_big),
        ("1.0+18446744073709551616", too_big),
        ("1.0.post99999999999999999999", too_big),
        ("\u{1c}1.0", separator),
        ("1.0\u{1f}", separator),
    ]);
}

#[test]
fn versions_are_ordered_alike() {
    let too_big = |text: &String| text.parse::<Version>().is_err();
    let groups: Vec<Vec<String>> =
        rows(include_str!("../../../../tests/vectors/version-order.json"));
    let groups: Vec<Vec<Version>> = groups
        .into_iter()
        .map(|mut group| {
            group.retain(|text| !too_big(text));
            group
                .iter()
                .map(|text| text.parse().expect("accepted"))
                .collect()
        })
        .collect();

    // Within a group the texts are in bytewise order, so all of it is one ascending list.
    let ascending: Vec<&Version> = groups.iter().flatten().collect();
    for (left, a) in ascending.iter().enumerate() {
        for (right, b) in ascending.iter().enumerate() {
            assert_eq!(a.cmp(b), left.cmp(&right), "{a} and {b}");
        }
    }
    for group in &groups {
        assert!(
            group
                .iter()
                .all(|version| version.is_same_release_as(&group[0])),
            "{group:?}"
        );
    }
    for pair in groups
        .iter()
        .filter(|group| !group.is_empty())
        .collect::<Vec<_>>()
        .windows(2)
    {
        assert!(!pair[0][0].is_same_release_as(&pair[1][0]), "{pair:?}");
    }
}

#[test]
fn specifier_sets_are_accepted_alike() {
    #[derive(Deserialize)]
    struct Row {
        text: String,
        accepted: bool,
    }

    let mut differences = Differences::default();
    for row in rows::<Row>(include_str!("../../../../tests/vectors/specifiers.json")) {
        let requires = row.text.parse::<RequiresPython>();
        if differences.both_accept(&row.text, row.accepted, requires.is_ok()) {
            assert_eq!(requires.expect("accepted").as_str(), row.text.trim());
        }
    }
    let ascii = "the text stands in pages: printable ASCII";
    differences.are_only(&[
        (">=18446744073709551616", "numbers are of 64 bits"),
        ("===é", ascii),
        ("~=1.0poſt1", ascii),
        (">=\t3.6", ascii),
        (">=3.6,\n<4", ascii),
        (">=\u{2003}3.6", ascii),
        (">=3.6\u{1c}", ascii),
    ]);
}
