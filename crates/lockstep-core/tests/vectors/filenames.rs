//! File names, and the project and version that they say.

use lockstep_core::filename::{DistFilename, DistKind};
use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_core::version::Version;
use serde::Deserialize;

use super::{Differences, rows};

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
    for row in rows::<Row>(include_str!("../../../../tests/vectors/wheels.json")) {
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
    for row in rows::<Row>(include_str!("../../../../tests/vectors/sdists.json")) {
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
