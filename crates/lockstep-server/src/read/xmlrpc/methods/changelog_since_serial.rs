//! `changelog_since_serial(serial)`: what bandersnatch goes by up to version 7. Rows
//! `[display name, version or nil, unix int, action, serial]` beyond the serial, ascending, at most
//! 50,000: who gets as many asks again with the last one. As in the public index.

use dxr::Value;
use lockstep_store::changelog::{self, ChangeRow};
use lockstep_store::watermarks;

use super::super::CallError;
use super::super::params::Params;
use super::super::value::{seconds, serial, text, version};
use crate::app::App;

pub(super) const NAME: &str = "changelog_since_serial";

/// Rows in one answer.
const MOST_ROWS: u32 = 50_000;

pub(super) async fn call(app: &App, params: Params) -> Result<Value, CallError> {
    let rows = rows(app, params).await?;
    Ok(Value::Array(rows.iter().filter_map(told).collect()))
}

/// The announced rows that the call asks for.
pub(super) async fn rows(app: &App, mut params: Params) -> Result<Vec<ChangeRow>, CallError> {
    let after = params.serial("serial");
    let after = params.end(after)?;
    let connection = app.store.connection().await?;
    let announced = watermarks::read(&connection).await?.announced;
    Ok(changelog::since(&connection, after, announced, MOST_ROWS, None).await?)
}

/// A row about no project (a lost serial) has no name that a mirror could do anything with.
fn told(row: &ChangeRow) -> Option<Value> {
    let name = row.name.as_ref()?;
    Some(Value::Array(vec![
        text(name.as_str()),
        version(row),
        seconds(row.at),
        text(&row.action),
        serial(row.serial),
    ]))
}
