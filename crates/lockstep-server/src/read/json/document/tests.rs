//! Yanked releases, in the document of a project and in their own.

use lockstep_core::digest::FileHasher;
use lockstep_core::filename::DistFilename;
use lockstep_core::metadata::CoreMetadata;
use serde_json::{Value, json};

use lockstep_core::status::Yanked;

use super::*;

fn release(id: i64, version: &str, yanked: Yanked) -> Release {
    let version: Version = version.parse().expect("version");
    let name = "sample".parse().expect("name");
    Release {
        id,
        metadata: CoreMetadata::new("2.1".to_owned(), name, version.clone()),
        version,
        yanked,
    }
}

fn file(release: i64, version: &str) -> File {
    let mut hasher = FileHasher::default();
    hasher.update(version.as_bytes());
    let digests = hasher.finish();
    let filename = DistFilename::from_stored(format!("sample-{version}.tar.gz"));
    File {
        release,
        kind: filename.kind(),
        filename,
        python_tag: "source".to_owned(),
        size: digests.size,
        md5: digests.md5,
        sha256: digests.sha256,
        blake2b_256: digests.blake2b_256,
        requires_python: None,
        metadata_sha256: None,
        upload_time: "2026-01-02T03:04:05.000006Z".parse().expect("time"),
    }
}

/// Of 1.0, and 2.0 yanked with a reason.
fn document(version: Option<&str>) -> Value {
    let reason = "broken".parse().expect("reason");
    let releases = vec![
        release(1, "1.0", Yanked::No),
        release(2, "2.0", Yanked::Yes(Some(reason))),
    ];
    let source = Source {
        public_url: "https://index.example",
        files_base: "https://files.example",
        serial: Serial::new(9).expect("serial"),
    };
    let project = "sample".parse().expect("name");
    let version = version.map(|text| text.parse::<Version>().expect("version"));
    let files = [file(1, "1.0"), file(2, "2.0")];
    let bytes = render(&source, &project, version.as_ref(), releases, &files);
    let bytes = bytes.expect("serialized").unwrap_or(b"null".to_vec());
    serde_json::from_slice(&bytes).expect("JSON")
}

#[test]
fn a_yanked_release_is_not_the_latest_and_says_so_with_its_files() {
    let whole = document(None);
    assert_eq!(whole["info"]["version"], "1.0");
    assert_eq!(whole["info"]["yanked"], false);
    let told = |entry: &Value| json!([entry["filename"], entry["yanked"], entry["yanked_reason"]]);
    let yanked = json!(["sample-2.0.tar.gz", true, "broken"]);
    assert_eq!(told(&whole["releases"]["2.0"][0]), yanked);
    let fine = json!(["sample-1.0.tar.gz", false, null]);
    assert_eq!(told(&whole["releases"]["1.0"][0]), fine);
    let own = document(Some("2"));
    assert_eq!(own["info"]["version"], "2.0");
    assert_eq!(
        (&own["info"]["yanked"], &own["info"]["yanked_reason"]),
        (&json!(true), &json!("broken"))
    );
    assert_eq!(told(&own["urls"][0]), yanked);
    assert_eq!(own.get("releases"), None);
    assert_eq!(document(Some("3")), Value::Null);
}

#[test]
fn times_are_given_with_and_without_a_zone() {
    let whole = document(None);
    let entry = &whole["urls"][0];
    assert_eq!(entry["upload_time"], "2026-01-02T03:04:05");
    assert_eq!(entry["upload_time_iso_8601"], "2026-01-02T03:04:05.000006Z");
    let url = entry["url"].as_str().unwrap_or_default();
    assert!(url.starts_with("https://files.example/packages/"), "{url}");
}
