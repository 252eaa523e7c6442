//! `changelog(since, with_ids=False)`: what pep381client goes by. Rows
//! `[normalized name, version or nil, unix int, action]`, with the serial where ids are asked for.
//!
//! As the public index answered it until 2023, but for three things. Names are normalized, because
//! pep381client drops a project whose page redirects. `since` is compared with the time at which a row
//! was *announced*: a mirror that looked before that has not seen it, however long ago it was committed,
//! and its next question must find it. (The time in a row is that of the commit, as in every method.)
//! And a list is never cut: who asks by time has no cursor to go on from.

use dxr::Value;
use jiff::Timestamp;
use lockstep_store::changelog::{self, ChangeRow};
use lockstep_store::{announcements, begin_snapshot, watermarks};

use super::super::CallError;
use super::super::params::Params;
use super::super::value::{seconds, serial, text, version};
use crate::app::App;

pub(super) const NAME: &str = "changelog";

/// Rows in one answer, as in the public index; announcements are remembered as far back.
const MOST_ROWS: u32 = announcements::REACH;

pub(super) async fn call(app: &App, mut params: Params) -> Result<Value, CallError> {
    let since = params.integer("since");
    let with_ids = params.flag("with_ids", false);
    let (since, with_ids) = params.end(since.zip(with_ids))?;
    // Before 1970 is before everything, and beyond the year 9999 is after it.
    let since = Timestamp::from_second(since.max(0)).unwrap_or(Timestamp::MAX);

    let mut connection = app.store.connection().await?;
    let snapshot = begin_snapshot(&mut connection).await?;
    let announced = watermarks::read(&snapshot).await?.announced;
    let seen = announcements::by_time(&snapshot, since).await?;
    let rows = changelog::since(&snapshot, seen, announced, MOST_ROWS + 1, None).await?;
    drop(snapshot);
    if rows.len() > MOST_ROWS as usize {
        let reason = format!(
            "there are more than {MOST_ROWS} changes since then; begin anew with list_packages, or \
             ask changelog_since_serial, which goes on from a serial"
        );
        return Err(CallError::refused(&reason));
    }
    let rows = rows.iter().filter_map(|row| told(row, with_ids));
    Ok(Value::Array(rows.collect()))
}

/// A row about no project (a lost serial) has no name that a mirror could do anything with.
fn told(row: &ChangeRow, with_ids: bool) -> Option<Value> {
    let name = text(row.project.as_ref()?.as_str());
    let mut columns = vec![name, version(row), seconds(row.at), text(&row.action)];
    if with_ids {
        columns.push(serial(row.serial));
    }
    Some(Value::Array(columns))
}
