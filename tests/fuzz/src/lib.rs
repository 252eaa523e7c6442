//! What must hold for any bytes at all, one function a target.
//!
//! The programs in `targets/` feed these functions with libFuzzer; `tests/corpus.rs` feeds them the
//! committed corpus, so that what was found once is looked at in every run.
//!
//! Invariant: a function here panics when, and only when, Lockstep is wrong.

use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_core::version::{RequiresPython, Version};

/// Names: what parses is normalized once and for all, and is safe in a path.
pub fn names(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(name) = text.parse::<ProjectName>() else {
        return;
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
}

/// Versions: the canonical form is the same release, and its own canonical form.
pub fn versions(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(specifiers) = text.parse::<RequiresPython>() {
        assert!(specifiers.as_str().parse::<RequiresPython>().is_ok());
    }
    let Ok(version) = text.parse::<Version>() else {
        return;
    };
    let canonical: Version = version
        .canonical()
        .parse()
        .expect("a canonical version is one");
    assert!(canonical.is_same_release_as(&version));
    assert_eq!(canonical.canonical(), version.canonical());
    let again: Version = version.as_str().parse().expect("a version is one");
    assert_eq!(again, version);
}
