//! Core metadata, and the requirements in them.

use std::collections::BTreeMap;

use lockstep_core::metadata::CoreMetadata;
use serde::Deserialize;
use serde_json::Value;

use super::{Differences, rows};

#[test]
fn requirements_are_accepted_alike() {
    #[derive(Deserialize)]
    struct Row {
        text: String,
        accepted: bool,
    }

    let mut differences = Differences::default();
    for row in rows::<Row>(include_str!("../../../../tests/vectors/requirements.json")) {
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
    for row in rows::<Row>(include_str!("../../../../tests/vectors/metadata.json")) {
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
