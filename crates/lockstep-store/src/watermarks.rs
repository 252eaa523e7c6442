//! How far each stage has come.

use std::time::Duration;

use lockstep_core::announce::{Open, Watermarks};
use lockstep_core::serial::Serial;
use tokio_postgres::Row;

use crate::StoreError;
use crate::decode::{serial, serial_option};
use crate::query::{self, Client, WATERMARKS_ADVANCE, WATERMARKS_COMMITTED, WATERMARKS_READ};

/// The watermarks, and what holds them, in one snapshot.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// As stored; `committed` is the serial row itself.
    pub stored: Watermarks,
    /// What is open at each stage.
    pub open: Open,
}

/// What the announce rule decides on. What has waited longer than `max_wait` holds nothing any more.
pub async fn progress(
    client: &impl Client,
    max_wait: Option<Duration>,
) -> Result<Progress, StoreError> {
    let max_wait = max_wait.map(|wait| wait.as_secs_f64());
    let row = query::one(client, WATERMARKS_READ, &[&max_wait]).await?;
    Ok(Progress {
        stored: watermarks(&row)?,
        open: Open {
            first_unpurged: serial_option(&row, "first_unpurged")?,
            first_unverified: serial_option(&row, "first_unverified")?,
            first_holding_purge: serial_option(&row, "first_holding_purge")?,
            first_holding_verify: serial_option(&row, "first_holding_verify")?,
        },
    })
}

/// The watermarks as they stand.
pub async fn read(client: &impl Client) -> Result<Watermarks, StoreError> {
    watermarks(&query::one(client, WATERMARKS_COMMITTED, &[]).await?)
}

/// Moves them forward and wakes whoever waits; never back, whoever else moves them.
pub async fn advance(client: &impl Client, to: Watermarks) -> Result<(), StoreError> {
    let marks = [to.purged, to.verified, to.announced].map(Serial::to_column);
    query::rows(
        client,
        WATERMARKS_ADVANCE,
        &[&marks[0], &marks[1], &marks[2]],
    )
    .await?;
    Ok(())
}

fn watermarks(row: &Row) -> Result<Watermarks, StoreError> {
    Ok(Watermarks {
        committed: serial(row, "committed")?,
        purged: serial(row, "purged")?,
        verified: serial(row, "verified")?,
        announced: serial(row, "announced")?,
    })
}
