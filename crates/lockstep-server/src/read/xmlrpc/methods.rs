//! The methods and their results.

use std::collections::BTreeMap;

use dxr::Value;
use lockstep_core::serial::Serial;
use lockstep_store::changelog::{self, ChangeRow};
use lockstep_store::{projects, watermarks};

use super::CallError;
use crate::app::App;

/// Rows in one answer, as in the public index; call again with the last serial.
const MOST_ROWS: u32 = 50_000;

/// Runs one method.
pub(super) async fn call(app: &App, name: &str, params: Vec<Value>) -> Result<Value, CallError> {
    match name {
        "changelog_last_serial" => {
            no_more_than(&params, 0)?;
            Ok(integer(announced(app).await?.get()))
        }
        "changelog_since_serial" => {
            let rows = rows_since(app, &params).await?;
            Ok(Value::Array(rows.iter().filter_map(five_tuple).collect()))
        }
        "changelog_since_serial_with_hashes" => {
            let rows = rows_since(app, &params).await?;
            Ok(Value::Array(rows.iter().filter_map(with_hashes).collect()))
        }
        "list_packages_with_serial" => {
            no_more_than(&params, 0)?;
            list_packages_with_serial(app).await
        }
        unknown => Err(CallError::Fault(
            -32601,
            format!("server error; requested method not found: {unknown}"),
        )),
    }
}

async fn announced(app: &App) -> Result<Serial, CallError> {
    let connection = app.store.connection().await?;
    Ok(watermarks::read(&connection).await?.announced)
}

async fn rows_since(app: &App, params: &[Value]) -> Result<Vec<ChangeRow>, CallError> {
    let after = serial_parameter(params)?;
    let connection = app.store.connection().await?;
    let announced = watermarks::read(&connection).await?.announced;
    Ok(changelog::since(&connection, after, announced, MOST_ROWS, None).await?)
}

/// `{display name: serial}` of one snapshot.
async fn list_packages_with_serial(app: &App) -> Result<Value, CallError> {
    let connection = app.store.connection().await?;
    let announced = watermarks::read(&connection).await?.announced;
    let entries = projects::list_at(&connection, announced).await?;
    let packages: BTreeMap<String, Value> = entries
        .into_iter()
        .map(|entry| {
            (
                entry.name.as_str().to_owned(),
                integer(entry.last_serial.get()),
            )
        })
        .collect();
    Ok(Value::Struct(packages))
}

/// `[name, version or nil, unix seconds, action, serial]`
///
/// A row about no project (a lost serial) has no name that a mirror could do anything with.
fn five_tuple(row: &ChangeRow) -> Option<Value> {
    let name = row.name.as_ref()?;
    Some(Value::Array(vec![
        Value::String(name.as_str().to_owned()),
        version(row),
        seconds(row),
        Value::String(row.action.clone()),
        integer(row.serial.get()),
    ]))
}

/// The row with what a mirror can assert itself by.
fn with_hashes(row: &ChangeRow) -> Option<Value> {
    let name = row.name.as_ref()?;
    let page = |sealed: Option<lockstep_core::page::Sealed>| {
        sealed.map_or(Value::Nil, |sealed| {
            Value::String(sealed.sha256.to_string())
        })
    };
    let members = [
        ("serial", integer(row.serial.get())),
        ("name", Value::String(name.as_str().to_owned())),
        ("version", version(row)),
        ("timestamp", seconds(row)),
        ("action", Value::String(row.action.clone())),
        ("page_sha256", page(row.page.map(|page| page.html))),
        ("page_json_sha256", page(row.page.map(|page| page.json))),
        (
            "content_sha256",
            Value::String(row.content_sha256.to_string()),
        ),
        ("files_sha256", Value::String(row.files_sha256.to_string())),
        ("added", hashes(&row.added)),
        ("removed", hashes(&row.removed)),
    ];
    let members = members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    Some(Value::Struct(members.collect()))
}

fn version(row: &ChangeRow) -> Value {
    row.version.clone().map_or(Value::Nil, Value::String)
}

fn seconds(row: &ChangeRow) -> Value {
    integer(u64::try_from(row.at.as_second()).unwrap_or(0))
}

fn hashes(files: &serde_json::Value) -> Value {
    let members = files.as_object().into_iter().flatten();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    Value::Struct(
        members
            .map(|(name, hash)| (name.clone(), Value::String(text(hash))))
            .collect(),
    )
}

/// `<int>` while it fits its 32 bits, as every client reads it; `<i8>` beyond.
fn integer(number: u64) -> Value {
    i32::try_from(number).map_or_else(
        |_| Value::Long(i64::try_from(number).unwrap_or(i64::MAX)),
        Value::Integer,
    )
}

fn serial_parameter(params: &[Value]) -> Result<Serial, CallError> {
    no_more_than(params, 1)?;
    let number = match params.first() {
        Some(Value::Integer(number)) => i64::from(*number),
        Some(Value::Long(number)) => *number,
        Some(_) => return Err(bad("serial: Input should be a valid integer")),
        None => return Err(bad("serial: Missing required argument")),
    };
    Serial::from_column(number).ok_or_else(|| bad("serial: Input should not be negative"))
}

fn no_more_than(params: &[Value], count: usize) -> Result<(), CallError> {
    if params.len() > count {
        Err(bad("Unexpected positional argument"))
    } else {
        Ok(())
    }
}

fn bad(what: &str) -> CallError {
    CallError::Fault(-32602, format!("client error; {what}"))
}
