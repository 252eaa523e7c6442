//! The texts that the core parses: names, versions, file names, metadata.

use lockstep_core::filename::{DistFilename, DistKind, project_of};
use lockstep_core::metadata::CoreMetadata;
use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_core::version::{RequiresPython, Version};

/// Names: what parses is normalized once and for all, and is safe in a path.
pub fn names(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let Ok(name) = text.parse::<ProjectName>() else {
        return false;
    };
    let normalized = name.normalized();
    let again: NormalizedName = normalized
        .as_str()
        .parse()
        .expect("a normalized name is one");
    assert_eq!(again, normalized);
    assert_eq!(name.as_str(), text);
    assert!(
        normalized
            .as_str()
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    );
    true
}

/// Versions: the canonical form is the same release, and its own canonical form.
pub fn versions(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let mut taken = false;
    if let Ok(specifiers) = text.parse::<RequiresPython>() {
        assert!(specifiers.as_str().parse::<RequiresPython>().is_ok());
        taken = true;
    }
    let Ok(version) = text.parse::<Version>() else {
        return taken;
    };
    let canonical: Version = version
        .canonical()
        .parse()
        .expect("a canonical version is one");
    assert!(canonical.is_same_release_as(&version));
    assert_eq!(canonical.canonical(), version.canonical());
    let again: Version = version.as_str().parse().expect("a version is one");
    assert_eq!(again, version);
    true
}

/// A project, a version and a file name, one a line: what passes is one harmless segment of a path, and
/// tells its project to whoever does not know it.
pub fn filename(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (project, version, text) = (line(), line(), line());
    // Whatever is called so, wherever it comes from.
    let _ = project_of(text);
    let (Ok(project), Ok(version)) = (project.parse::<ProjectName>(), version.parse::<Version>())
    else {
        return false;
    };
    let project = project.normalized();
    let Ok(filename) = DistFilename::parse(text, &project, &version) else {
        return false;
    };
    assert_eq!(filename.as_str(), text);
    assert_eq!(text.parse().as_ref(), Ok(&filename));
    assert!(
        text.len() <= 255
            && text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"/\\\"'<>&:%".contains(&byte))
    );
    let decoded = percent_encoding::percent_decode_str(&filename.url_path())
        .decode_utf8_lossy()
        .into_owned();
    assert_eq!(decoded, text);
    assert!(!filename.python_version_tag().is_empty());
    if filename.check_normal(&project, &version).is_err() {
        return false;
    }
    let stem = filename.name_and_version();
    let (name, written) = stem.split_once('-').expect("a name and a version");
    assert_eq!(name, project.escaped());
    let written: Version = written.parse().expect("a version");
    assert!(written.is_same_release_as(&version));
    if filename.kind() == DistKind::Sdist {
        assert_eq!(written, version);
    }
    let told = project_of(text).expect("a project");
    assert_eq!(told.normalized(), project);
    true
}

/// A metadata document: what is parsed can be stored, read back and served.
pub fn metadata(bytes: &[u8]) -> bool {
    let Ok(metadata) = CoreMetadata::parse(bytes) else {
        return false;
    };
    check_metadata(&metadata);
    match metadata.check() {
        Ok(()) => true,
        Err(error) => {
            assert!(error.to_string().chars().count() < 2000, "{error}");
            false
        }
    }
}

/// What holds for all parsed metadata.
pub(crate) fn check_metadata(metadata: &CoreMetadata) {
    let stored = serde_json::to_value(metadata).expect("can be stored");
    let fields = stored.as_object().expect("fields");
    for (field, value) in fields {
        let breaks = ["description", "license"].contains(&field.as_str());
        check_text(field, value, breaks);
    }
    let again: CoreMetadata = serde_json::from_value(stored).expect("can be read back");
    assert_eq!(&again, metadata);
}

fn check_text(field: &str, value: &serde_json::Value, breaks: bool) {
    match value {
        serde_json::Value::String(text) => assert!(
            !text.contains(|c: char| c.is_control() && !(breaks && matches!(c, '\n' | '\t'))),
            "{field}: {text:?}"
        ),
        serde_json::Value::Array(values) => {
            for value in values {
                check_text(field, value, breaks);
            }
        }
        _ => {}
    }
}
