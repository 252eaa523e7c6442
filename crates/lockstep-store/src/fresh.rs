//! What a process asks so that it may answer from memory: what is new, and one project's page together
//! with the serial it was read at. Linearizable: each is one statement on the primary, and sees every
//! commit that was acknowledged before it was asked.

use jiff::Timestamp;
use lockstep_core::name::NormalizedName;
use lockstep_core::serial::Serial;
use tokio_postgres::Row;

use crate::StoreError;
use crate::decode::{get, parsed, parsed_option, serial, sha256_option};
use crate::pages::CurrentPage;
use crate::query::{self, Client, FRESH_PROJECT, FRESH_SINCE};

/// A place in the history of one index: the last serial, and when its row was written. A database that
/// was restored and went on has other times at the same serials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The last serial.
    pub serial: Serial,
    /// The time of its row; `None` before the first.
    pub at: Option<Timestamp>,
}

/// What is new after a [`Mark`].
#[derive(Debug)]
pub struct News {
    /// The end of the history as it is now.
    pub mark: Mark,
    /// The projects that changed, with their pages as of `mark`; `None`: the old mark is too far behind,
    /// or is no part of this history, so nothing that was known by it holds.
    pub changed: Option<Vec<(NormalizedName, CurrentPage)>>,
}

/// What is new after `known`, when that is not more than `most` serials.
pub async fn since(client: &impl Client, known: Mark, most: u32) -> Result<News, StoreError> {
    let (from, most) = (known.serial.to_column(), i64::from(most));
    let rows = query::rows(client, FRESH_SINCE, &[&from, &most]).await?;
    let first = rows.first().ok_or_else(standby)?;
    let mark = Mark {
        serial: serial(first, "committed")?,
        at: get(first, "committed_at")?,
    };
    let goes_on = get::<Option<Timestamp>>(first, "known_at")? == known.at;
    let near = mark.serial.to_column().saturating_sub(from) <= most;
    let changed = || rows.iter().filter_map(|row| changed(row).transpose());
    Ok(News {
        mark,
        changed: (goes_on && near).then(|| changed().collect()).transpose()?,
    })
}

/// `None`: a row that speaks of no project.
fn changed(row: &Row) -> Result<Option<(NormalizedName, CurrentPage)>, StoreError> {
    let name = parsed_option(row, "normalized_name")?;
    Ok(name.zip(current_page(row)?))
}

/// A project's page, `None` for a name that was never used, and the last serial when this was read.
pub async fn project(
    client: &impl Client,
    project: &NormalizedName,
) -> Result<(Option<CurrentPage>, Serial), StoreError> {
    let row = query::row(client, FRESH_PROJECT, &[&project.as_str()]).await?;
    let row = row.ok_or_else(standby)?;
    Ok((current_page(&row)?, serial(&row, "committed")?))
}

fn standby() -> StoreError {
    StoreError::Unavailable("what answered is a standby, which may lag behind its primary".into())
}

/// `None`: no project was joined.
fn current_page(row: &Row) -> Result<Option<CurrentPage>, StoreError> {
    let Some(project) = get::<Option<i64>>(row, "id")? else {
        return Ok(None);
    };
    let html = sha256_option(row, "html_sha256")?;
    let json = sha256_option(row, "json_sha256")?;
    Ok(Some(CurrentPage {
        project,
        serial: serial(row, "last_serial")?,
        status: parsed(row, "status")?,
        hashes: html.zip(json),
    }))
}
