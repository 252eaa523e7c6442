//! Agreement with Python's `packaging`, on the vectors that `tests/vectors/make.py` writes.
//!
//! Where Rust differs on purpose, the row is listed with its reason, and a listed row that does
//! not differ (any more) fails as well.

use std::collections::{BTreeMap, BTreeSet};

use lockstep_core::filename::{DistFilename, DistKind};
use lockstep_core::metadata::CoreMetadata;
use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_core::version::{RequiresPython, Version};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

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
    for row in rows::<Row>(include_str!("../../../tests/vectors/names.json")) {
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
    for row in rows::<Row>(include_str!("../../../tests/vectors/versions.json")) {
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
    let groups: Vec<Vec<String>> = rows(include_str!("../../../tests/vectors/version-order.json"));
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
    for row in rows::<Row>(include_str!("../../../tests/vectors/specifiers.json")) {
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

#[test]
fn wheel_file_names_are_read_alike() {
    #[derive(Deserialize)]
    struct Row {
        filename: String,
        name: Option<String>,
        version: Option<String>,
        python: Option<Vec<String>>,
    }

    let mut differences = Differences::default();
    for row in rows::<Row>(include_str!("../../../tests/vectors/wheels.json")) {
        let parsed = parse_filename(&row.filename, row.name.as_deref(), row.version.as_deref());
        if differences.both_accept(&row.filename, row.name.is_some(), parsed.is_some()) {
            let parsed = parsed.expect("accepted");
            assert_eq!(parsed.kind(), DistKind::Wheel);
            let tag = parsed.python_version_tag().to_lowercase();
            let mut tags: Vec<&str> = tag.split('.').collect();
            tags.sort_unstable();
            assert_eq!(tags, row.python.expect("accepted"), "{}", row.filename);
        }
    }
    let name = "the name part is not a project name";
    let ascii = "file names are ASCII letters, digits, `.`, `_`, `+`, `!` and `-`";
    let tag = "a tag is of letters, digits and `_`, and not empty";
    differences.are_only(&[
        ("-1.0-py3-none-any.whl", name),
        ("_foo-1.0-py3-none-any.whl", name),
        ("foo_-1.0-py3-none-any.whl", name),
        ("é-1.0-py3-none-any.whl", name),
        ("中-1.0-py3-none-any.whl", name),
        ("foo-1.0 -py3-none-any.whl", ascii),
        ("foo-1.0-py3-none-any .whl", ascii),
        ("foo-1.0-py3-none-any%20.whl", ascii),
        ("foo-1.0-py3-none-an/y.whl", ascii),
        ("foo-1.0--none-any.whl", tag),
        ("foo-1.0-py3--any.whl", tag),
        ("foo-1.0-py3-none-.whl", tag),
        ("foo-1.0-.py3-none-any.whl", tag),
        ("foo-1.0-py3.-none-any.whl", tag),
        ("foo-1.0-py3..py2-none-any.whl", tag),
        ("foo-1.0-py!3-none-any.whl", tag),
        ("foo-1.0-py3+x-none-any.whl", tag),
    ]);
}

#[test]
fn source_distribution_file_names_are_read_alike() {
    #[derive(Deserialize)]
    struct Row {
        filename: String,
        name: Option<String>,
        version: Option<String>,
    }

    let mut differences = Differences::default();
    for row in rows::<Row>(include_str!("../../../tests/vectors/sdists.json")) {
        let parsed = parse_filename(&row.filename, row.name.as_deref(), row.version.as_deref());
        if differences.both_accept(&row.filename, row.name.is_some(), parsed.is_some()) {
            assert_eq!(parsed.expect("accepted").kind(), DistKind::Sdist);
        }
    }
    let name = "the name part is not a project name";
    let ascii = "file names are ASCII letters, digits, `.`, `_`, `+`, `!` and `-`";
    differences.are_only(&[
        ("-1.0.tar.gz", name),
        ("_foo-1.0.tar.gz", name),
        ("foo_-1.0.tar.gz", name),
        ("foo--1.0.tar.gz", name),
        ("foo+-1.0.tar.gz", name),
        ("é-1.0.tar.gz", name),
        ("fo/o-1.0.tar.gz", ascii),
        ("fo\\o-1.0.tar.gz", ascii),
        ("../foo-1.0.tar.gz", ascii),
        ("foo -1.0.tar.gz", ascii),
        ("foo- 1.0.tar.gz", ascii),
        ("foo-1.0 .tar.gz", ascii),
        (
            "foo-1.0.zip",
            "source distributions are `.tar.gz` (PEP 625)",
        ),
    ]);
}

/// Parses `filename` as that of the project and version `packaging` found in it, or, where it
/// found none, of the best guess.
fn parse_filename(
    filename: &str,
    name: Option<&str>,
    version: Option<&str>,
) -> Option<DistFilename> {
    let mut parts = filename.split('-');
    let (first, second) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let guess: ProjectName = first
        .parse()
        .unwrap_or_else(|_| "foo".parse().expect("a name"));
    let project = match name {
        // What Rust does not take for a project can have no file.
        Some(name) => name.parse().ok()?,
        None => guess.normalized(),
    };
    let guess = || {
        second
            .parse()
            .unwrap_or_else(|_| "1.0".parse().expect("a version"))
    };
    let version: Version = version.map_or_else(guess, |text| text.parse().expect("a version"));

    let other: NormalizedName = "another-project".parse().expect("a normalized name");
    assert!(
        DistFilename::parse(filename, &other, &version).is_err(),
        "{filename}"
    );
    let other: Version = "99.1".parse().expect("a version");
    assert!(
        DistFilename::parse(filename, &project, &other).is_err(),
        "{filename}"
    );
    DistFilename::parse(filename, &project, &version).ok()
}

#[test]
fn requirements_are_accepted_alike() {
    #[derive(Deserialize)]
    struct Row {
        text: String,
        accepted: bool,
    }

    let mut differences = Differences::default();
    for row in rows::<Row>(include_str!("../../../tests/vectors/requirements.json")) {
        let document = format!(
            "Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Dist: {}\n",
            row.text
        );
        // An empty field is an absent one, so absence here means that it was not accepted.
        let parsed = CoreMetadata::parse(document.as_bytes());
        let accepted = parsed.is_ok_and(|metadata| metadata.requires_dist.len() == 1);
        differences.both_accept(&row.text, row.accepted, accepted);
    }
    differences.are_only(&[
        ("a>=18446744073709551616", "numbers are of 64 bits"),
        ("requests_", "by PEP 508 a name ends with a letter or digit"),
    ]);
}

#[test]
fn metadata_is_accepted_and_read_alike() {
    #[derive(Deserialize)]
    struct Row {
        label: String,
        document: String,
        accepted: bool,
        fields: Value,
    }

    let mut differences = Differences::default();
    for row in rows::<Row>(include_str!("../../../tests/vectors/metadata.json")) {
        let parsed = CoreMetadata::parse(row.document.as_bytes());
        if differences.both_accept(&row.label, row.accepted, parsed.is_ok()) {
            let parsed = serde_json::to_value(parsed.expect("accepted")).expect("serializable");
            assert_eq!(comparable(parsed), comparable(row.fields), "{}", row.label);
        }
    }
    let policy = "not a matter of the format, but of what an index demands of an upload";
    let common = "tools in use write it";
    let strict = "readers differ on where the fields end, so there is no right answer";
    let control = "control characters cannot be stored and served";
    differences.are_only(&[
        ("bad content type", policy),
        ("bad import name", policy),
        ("bad license expression", policy),
        ("bad license file", policy),
        ("field of a later version", common),
        ("unknown field", common),
        ("name with white space", common),
        (
            "project URL without label",
            "there is nothing to show the link under",
        ),
        ("text among the fields", strict),
        ("continuation first", strict),
        ("NUL in the description", control),
        ("escape in the author", control),
    ]);
}

/// The fields that say something, in the form that `packaging` gives them, without the
/// indentation of continued lines, which it keeps.
fn comparable(fields: Value) -> BTreeMap<String, Value> {
    let Value::Object(fields) = fields else {
        panic!("not an object of fields: {fields}");
    };
    let trimmed = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let says_something = |text: &String| !text.is_empty() && text != "UNKNOWN";
    let mut comparable = BTreeMap::new();
    for (field, value) in fields {
        let value = match (&*field, value) {
            (_, Value::Null) => continue,
            ("keywords", Value::String(text)) => text.split(',').map(str::trim).collect(),
            ("project_urls", Value::Array(pairs)) => {
                let pairs = serde_json::from_value::<Vec<(String, Value)>>(Value::Array(pairs));
                pairs.expect("pairs of label and URL").into_iter().collect()
            }
            (_, Value::String(text)) => Value::String(trimmed(text.trim())),
            (_, Value::Array(values)) => {
                let texts = serde_json::from_value::<Vec<String>>(Value::Array(values));
                let texts = texts.expect("a list of texts").into_iter();
                texts.filter(says_something).collect()
            }
            (_, other) => other,
        };
        let is_empty = match &value {
            Value::String(text) => !says_something(text),
            Value::Array(values) => values.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        if !is_empty {
            comparable.insert(field, value);
        }
    }
    comparable
}
