//! Connections: a bounded pool to the primary, and transactions on them.
//!
//! Only ever the primary: a replica may lag behind a commit that was acknowledged, and then an
//! answer from it would be an old page (promise P4).

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::NoTls;

use crate::StoreError;
use crate::migrate::SchemaState;

/// A pooled connection. Dropped, it goes back to the pool.
pub type Connection = deadpool_postgres::Object;
/// A transaction; dropped without `commit`, it rolls back.
pub type Transaction<'a> = deadpool_postgres::Transaction<'a>;

/// How long a request waits for a free connection before it answers 503.
const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(5);

/// What nobody waits for may take its time, but not for ever.
const QUERY_TIMEOUT: Duration = Duration::from_secs(60);

/// The database.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    config: tokio_postgres::Config,
}

/// What `/readyz` wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Reachable, and the schema is the one this program was made for.
    Ready,
    /// Reachable, but the schema is another one; the text is the remedy.
    WrongSchema(String),
}

impl Store {
    /// Prepares a pool for loops and commands; connects to nothing yet. `url` is a PostgreSQL URL or
    /// key=value string.
    pub fn new(url: &str, connections: usize) -> Result<Self, StoreError> {
        Self::with_query_timeout(url, connections, QUERY_TIMEOUT)
    }

    /// … in which PostgreSQL ends a statement after `query_timeout`: [`StoreError::TooSlow`].
    pub fn with_query_timeout(
        url: &str,
        connections: usize,
        query_timeout: Duration,
    ) -> Result<Self, StoreError> {
        let mut config: tokio_postgres::Config = url.parse().map_err(|error| {
            StoreError::Schema(format!("database_url is not a PostgreSQL URL: {error}"))
        })?;
        config
            .connect_timeout(Duration::from_secs(3))
            .keepalives_idle(Duration::from_secs(10))
            .tcp_user_timeout(Duration::from_secs(10))
            .application_name("lockstep");
        // A statement that hangs must not hold a request, or worse the serial lock, for ever.
        let limits = format!(
            "-c statement_timeout={}ms -c idle_in_transaction_session_timeout=60s",
            query_timeout.as_millis()
        );
        let options = config
            .get_options()
            .map_or_else(|| limits.clone(), |given| format!("{limits} {given}"));
        config.options(options);
        let manager = Manager::from_config(
            config.clone(),
            NoTls,
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let pool = Pool::builder(manager)
            .max_size(connections)
            .timeouts(Timeouts {
                wait: Some(WAIT_FOR_CONNECTION),
                create: Some(WAIT_FOR_CONNECTION),
                recycle: Some(WAIT_FOR_CONNECTION),
            })
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(Self { pool, config })
    }

    /// A connection, within a few seconds or [`StoreError::Unavailable`].
    pub async fn connection(&self) -> Result<Connection, StoreError> {
        Ok(self.pool.get().await?)
    }

    /// How one connects, for the connection that listens.
    pub(crate) fn config(&self) -> &tokio_postgres::Config {
        &self.config
    }

    /// Reachable, and with the right schema?
    pub async fn health(&self) -> Result<Health, StoreError> {
        let client = self.connection().await?;
        Ok(match crate::migrate::state(&client).await? {
            SchemaState::Current => Health::Ready,
            SchemaState::Other(remedy) => Health::WrongSchema(remedy),
        })
    }
}

/// Opens a transaction: read committed, as every statement here is one snapshot of its own.
pub async fn begin(connection: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    Ok(connection.transaction().await?)
}

/// Opens a transaction in which all statements see one snapshot.
pub async fn begin_snapshot(connection: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    use tokio_postgres::IsolationLevel::RepeatableRead;
    Ok(connection
        .build_transaction()
        .isolation_level(RepeatableRead)
        .read_only(true)
        .start()
        .await?)
}

/// Commits. An error here does not say whether the commit happened: the answer may have been lost on
/// its way. Callers treat it as "unknown", and everything they did must be repeatable.
pub async fn commit(transaction: Transaction<'_>) -> Result<(), StoreError> {
    Ok(transaction.commit().await?)
}
