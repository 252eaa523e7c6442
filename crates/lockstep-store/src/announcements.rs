//! When which serial had been announced, for mirrors that ask for changes since a time.
//!
//! Invariant: who looked before a noted time may have missed serials up to the noted one; who looked
//! after it can't have. So a time is noted after the fact, by a statement of its own; a note that a
//! crash prevents costs a mirror some changes told twice.

use jiff::Timestamp;
use lockstep_core::serial::Serial;

use crate::StoreError;
use crate::decode::serial;
use crate::query::{self, ANNOUNCEMENTS_BY_TIME, ANNOUNCEMENTS_NOTE, Client};

/// How many serials back announcements are remembered.
pub const REACH: u32 = 50_000;

/// Notes that mirrors can see what is announced by now. Not within the transaction that announces it.
pub async fn note(client: &impl Client) -> Result<(), StoreError> {
    query::execute(client, ANNOUNCEMENTS_NOTE, &[&i64::from(REACH)]).await?;
    Ok(())
}

/// The last serial that whoever looked at `time` was shown for certain; zero when that is too long ago
/// to be remembered.
pub async fn by_time(client: &impl Client, time: Timestamp) -> Result<Serial, StoreError> {
    let row = query::row(client, ANNOUNCEMENTS_BY_TIME, &[&time]).await?;
    row.map_or(Ok(Serial::ZERO), |row| serial(&row, "serial"))
}
