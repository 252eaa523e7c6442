//! File names: what is taken, what is refused, and what is read out of them.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<DistFilename, FilenameError> {
    let version = "1!2.0+local.1".parse().expect("a version");
    DistFilename::parse(
        text,
        &"a-project".parse().expect("a normalized name"),
        &version,
    )
}

#[test]
fn a_name_to_look_up_is_safe_and_of_a_known_kind() {
    let found: DistFilename = "a-1.tar.gz".parse().expect("a file name");
    assert_eq!(
        (found.as_str(), found.kind()),
        ("a-1.tar.gz", DistKind::Sdist)
    );
    let refused = |text: &str| text.parse::<DistFilename>().expect_err(text);
    assert!(matches!(
        refused("../a-1.whl"),
        FilenameError::Characters(_)
    ));
    assert!(matches!(refused("a-1.zip"), FilenameError::Kind(_)));
    assert!(matches!(
        refused(&"a".repeat(256)),
        FilenameError::TooLong(256)
    ));
}

#[test]
fn a_file_name_alone_tells_its_project() {
    for (text, project) in [
        ("My_Project-1.0-py3-none-any.whl", Some("My_Project")),
        ("my_project-1.0.tar.gz", Some("my_project")),
        ("my-project-2-1.0.post1.tar.gz", Some("my-project-2")),
        ("project-1.0-1.tar.gz", Some("project")),
        ("project.tar.gz", None),
        ("project-1.0-py3-none-any.whl.metadata", None),
    ] {
        let found = project_of(text);
        assert_eq!(found.as_ref().map(ProjectName::as_str), project, "{text}");
    }
}

#[test]
fn kind_tag_and_url_are_read_from_the_name() {
    let wheel = parse("A.Project-1!2.0.0+local.1-1b-py2.py3-none-any.whl").expect("a wheel");
    assert_eq!(
        (wheel.kind(), wheel.python_version_tag()),
        (DistKind::Wheel, "py2.py3")
    );
    assert_eq!(
        wheel.url_path(),
        "A.Project-1%212.0.0%2Blocal.1-1b-py2.py3-none-any.whl"
    );
    let sdist = parse("a-project-1!2+local_1.tar.gz").expect("a source distribution");
    assert_eq!(
        (sdist.kind(), sdist.python_version_tag()),
        (DistKind::Sdist, "source")
    );
    let plain = DistFilename::from_stored("b-1.tar.gz".to_owned());
    assert!(matches!(plain.url_path(), Cow::Borrowed("b-1.tar.gz")));
}

#[test]
fn every_refusal_says_what_is_expected() {
    let long = format!("a_project-{}.tar.gz", "1".repeat(255));
    for (text, message) in [
        (
            &*long,
            "A file name of 272 bytes is too long: expected at most 255",
        ),
        (
            "../a_project-2.tar.gz",
            "File name `../a_project-2.tar.gz` has other characters than ASCII letters, \
             digits, `.`, `_`, `+`, `!` and `-`",
        ),
        (
            "a_project-2.zip",
            "File name `a_project-2.zip` is of no accepted kind: expected `.whl` for a wheel \
             or `.tar.gz` for a source distribution",
        ),
        (
            "b-1!2+local.1.tar.gz",
            "File name `b-1!2+local.1.tar.gz` is not that of project `a-project`: expected it \
             to begin with `a_project-`, but it begins with `b-`",
        ),
        (
            "a_project-2.0.tar.gz",
            "File name `a_project-2.0.tar.gz` is not that of version `1!2.0+local.1`: its \
             version part is `2.0`",
        ),
        (
            "a_project-2.0-x1-py3-none-any.whl",
            "File name `a_project-2.0-x1-py3-none-any.whl` is malformed: a wheel's build \
             number begins with a digit",
        ),
    ] {
        assert_eq!(parse(text).expect_err(text).to_string(), message);
    }
}

#[test]
fn old_spellings_and_unknown_platforms_are_told_from_normal_names() {
    let check = |text: &str| {
        let (project, version) = ("a-b".parse().expect("a name"), "1.0".parse().expect("one"));
        let name = DistFilename::parse(text, &project, &version).expect("of the project");
        let checked = name.check_normal(&project, &version);
        (
            name.name_and_version().to_owned(),
            checked.map_err(|error| error.to_string()),
        )
    };
    for text in [
        "a_b-1.0.tar.gz",
        "a_b-1.0-py3-none-any.whl",
        "a_b-1.0.0-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    ] {
        assert_eq!(check(text).1, Ok(()), "{text}");
    }
    assert_eq!(check("a_b-1.0.0-py3-none-any.whl").0, "a_b-1.0.0");
    assert_eq!(check("a-b-1.0.tar.gz").0, "a-b-1.0");
    for (text, expected) in [
        (
            "a-b-1.0.tar.gz",
            "`a-b-1.0.tar.gz` is not in its normal form: expected `a_b-1.0.tar.gz`",
        ),
        (
            "a_b-1.tar.gz",
            "`a_b-1.tar.gz` is not in its normal form: expected `a_b-1.0.tar.gz`",
        ),
        (
            "A.B-1.0-py3-none-any.whl",
            "expected `a_b-1.0-py3-none-any.whl`",
        ),
        (
            "a_b-1.0-py3-none-any.linux_x86_64.whl",
            "has the platform tag `linux_x86_64`: ",
        ),
    ] {
        let message = check(text).1.expect_err(text);
        assert!(message.contains(expected), "{message}");
    }
}

proptest! {
    #[test]
    fn any_text_is_parsed_without_panic(
        text in any::<String>(),
        near in "a_project-1!2\\+local\\.1[a-z0-9._+!-]{0,12}(-py3-none-any\\.whl|\\.tar\\.gz)",
    ) {
        for text in [text, near] {
            if let Ok(name) = parse(&text) {
                prop_assert!(!name.python_version_tag().is_empty());
                prop_assert!(!name.url_path().contains(['/', '+', '!']));
            }
            let stored = DistFilename::from_stored(text);
            let _ = (stored.python_version_tag(), stored.url_path(), stored.name_and_version());
            let (project, version) = ("a".parse().expect("one"), "1".parse().expect("one"));
            let _ = stored.check_normal(&project, &version);
        }
    }
}
