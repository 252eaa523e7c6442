//! `changelog_since_serial_with_hashes(serial)`: the rows of `changelog_since_serial` as structs, with what
//! a mirror can assert itself by. Unknown to the public index.

use dxr::Value;
use lockstep_store::changelog::ChangeRow;

use super::super::CallError;
use super::super::params::Params;
use super::super::value::{hash, hashes, members, seconds, serial, text, version};
use super::changelog_since_serial;
use crate::app::App;

pub(super) const NAME: &str = "changelog_since_serial_with_hashes";

pub(super) async fn call(app: &App, params: Params) -> Result<Value, CallError> {
    let rows = changelog_since_serial::rows(app, params).await?;
    Ok(Value::Array(rows.iter().filter_map(told).collect()))
}

fn told(row: &ChangeRow) -> Option<Value> {
    let name = row.name.as_ref()?;
    let page = row.page;
    Some(members([
        ("serial", serial(row.serial)),
        ("name", text(name.as_str())),
        ("version", version(row)),
        ("timestamp", seconds(row.at)),
        ("action", text(&row.action)),
        (
            "page_sha256",
            page.map_or(Value::Nil, |page| hash(page.html.sha256)),
        ),
        (
            "page_json_sha256",
            page.map_or(Value::Nil, |page| hash(page.json.sha256)),
        ),
        ("content_sha256", hash(row.content_sha256)),
        ("files_sha256", hash(row.files_sha256)),
        ("added", hashes(&row.added)),
        ("removed", hashes(&row.removed)),
    ]))
}
