//! The core's types as XML-RPC's values.

use std::collections::BTreeMap;

use dxr::{DateTime, Value};
use jiff::Timestamp;
use jiff::tz::Offset;
use lockstep_core::digest::Sha256;
use lockstep_core::serial::Serial;
use lockstep_store::changelog::ChangeRow;

use super::document::clean;

/// `<int>` while it fits its 32 bits, as every client reads it; `<i8>` beyond.
pub(super) fn integer(number: u64) -> Value {
    i32::try_from(number).map_or_else(
        |_| Value::Long(i64::try_from(number).unwrap_or(i64::MAX)),
        Value::Integer,
    )
}

pub(super) fn serial(serial: Serial) -> Value {
    integer(serial.get())
}

/// Seconds since 1970, rounded down.
pub(super) fn seconds(time: Timestamp) -> Value {
    integer(u64::try_from(time.as_second()).unwrap_or(0))
}

/// `<dateTime.iso8601>`, UTC, whole seconds.
pub(super) fn time(time: Timestamp) -> Value {
    Value::DateTime(DateTime::from(Offset::UTC.to_datetime(time)))
}

pub(super) fn text(text: &str) -> Value {
    Value::String(clean(text))
}

/// The text, or nil.
pub(super) fn optional(text: Option<&str>) -> Value {
    text.map_or(Value::Nil, self::text)
}

pub(super) fn texts(texts: &[String]) -> Value {
    Value::Array(texts.iter().map(|it| text(it)).collect())
}

pub(super) fn hash(hash: Sha256) -> Value {
    Value::String(hash.to_string())
}

/// A struct with these members.
pub(super) fn members<const N: usize>(members: [(&str, Value); N]) -> Value {
    let members = members.into_iter();
    Value::Struct(
        members
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

/// `{file name: SHA-256}`, of a row's added or removed files.
pub(super) fn hashes(files: &serde_json::Value) -> Value {
    let files = files.as_object().into_iter().flatten();
    let hash = |value: &serde_json::Value| text(value.as_str().unwrap_or_default());
    let members: BTreeMap<String, Value> = files
        .map(|(name, value)| (name.clone(), hash(value)))
        .collect();
    Value::Struct(members)
}

/// The version that a row is about, or nil.
pub(super) fn version(row: &ChangeRow) -> Value {
    optional(row.version.as_deref())
}
