//! The schema: brought up by `lockstep migrate`, checked by everything else.

use deadpool_postgres::Object;
use refinery::Runner;
use refinery::embed_migrations;

use crate::query::{self, Client, SCHEMA_LOCK, SCHEMA_NO_TIMEOUT, SCHEMA_VERSION};
use crate::{Connection, Store, StoreError};

mod embedded {
    use super::embed_migrations;
    embed_migrations!("../../sql/migrations");
}

/// The schema found, against the one this program was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaState {
    /// The same.
    Current,
    /// Older, newer or none; the text says so and gives the remedy.
    Other(String),
}

/// Applies what is missing and returns how many migrations that were. Safe when several run at once:
/// refinery takes no lock itself, so an advisory lock gives them turns.
pub async fn run(store: &Store) -> Result<usize, StoreError> {
    let mut connection = store.connection().await?;
    let applied = run_on(&mut connection).await;
    // Not back into the pool: its time-out is off, and the advisory lock ends with it, however the
    // migrations ended.
    drop(Object::take(connection));
    applied
}

async fn run_on(connection: &mut Connection) -> Result<usize, StoreError> {
    query::execute(connection, SCHEMA_NO_TIMEOUT, &[]).await?;
    query::rows(connection, SCHEMA_LOCK, &[]).await?;
    let report = migrations().run_async(&mut ***connection).await.map_err(|error| {
        StoreError::Schema(format!(
            "a migration failed and was rolled back: {error}. Restore the migrations' own text or \
             the database from a backup, then run `lockstep migrate` again"
        ))
    })?;
    Ok(report.applied_migrations().len())
}

fn migrations() -> Runner {
    // One transaction for all: a half-migrated schema is no schema.
    embedded::migrations::runner().set_grouped(true)
}

/// The number of the newest migration this program knows.
pub fn newest() -> i32 {
    migrations()
        .get_migrations()
        .iter()
        .map(refinery::Migration::version)
        .max()
        .unwrap_or(0)
}

/// What schema the database has.
pub async fn state(client: &impl Client) -> Result<SchemaState, StoreError> {
    let found = match query::one(client, SCHEMA_VERSION, &[]).await {
        Ok(row) => row
            .try_get::<_, Option<i32>>("version")
            .ok()
            .flatten()
            .unwrap_or(0),
        // No history table: nothing was ever migrated.
        Err(StoreError::Database(error))
            if error.code() == Some(&tokio_postgres::error::SqlState::UNDEFINED_TABLE) =>
        {
            0
        }
        Err(error) => return Err(error),
    };
    let newest = newest();
    Ok(match found.cmp(&newest) {
        std::cmp::Ordering::Equal => SchemaState::Current,
        std::cmp::Ordering::Less => SchemaState::Other(format!(
            "the database schema is at version {found}, this program needs {newest}: run \
             `lockstep migrate --config FILE` first"
        )),
        std::cmp::Ordering::Greater => SchemaState::Other(format!(
            "the database schema is at version {found}, newer than the {newest} this program \
             knows: start the newer program"
        )),
    })
}
