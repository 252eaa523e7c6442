//! What can go wrong with the database, sorted by what the caller can do about it.

use tokio_postgres::error::SqlState;

/// A failed database operation. `Display` never prints the source; whoever handles it logs the chain.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A named constraint refused the write; the caller maps the name to an answer.
    #[error("constraint {0} refused the write")]
    Conflict(String),
    /// The database can't be reached, is shutting down, is full or too busy: try again later.
    #[error("the database is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A statement took longer than it may: try again later.
    #[error("the database took too long to answer")]
    TooSlow(#[source] tokio_postgres::Error),
    /// A row that no version of this program could have written.
    #[error("the database holds an impossible value in {0}")]
    Corrupt(String),
    /// A serial, a page or a project that is not there.
    #[error("not found")]
    NotFound,
    /// The schema is not the one this program was made for.
    #[error("{0}")]
    Schema(String),
    /// Anything else: our bug.
    #[error("a database statement failed")]
    Database(#[source] tokio_postgres::Error),
}

impl StoreError {
    /// The metric label.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conflict(_) => "conflict",
            Self::Unavailable(_) => "unavailable",
            Self::TooSlow(_) => "too-slow",
            Self::Corrupt(_) => "corrupt",
            Self::NotFound => "not-found",
            Self::Schema(_) => "schema",
            Self::Database(_) => "database",
        }
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(database) = error.as_db_error() else {
            // No answer from the server at all: connection refused, reset or closed.
            return Self::Unavailable(Box::new(error));
        };
        if let Some(constraint) = database.constraint()
            && *database.code() == SqlState::UNIQUE_VIOLATION
        {
            return Self::Conflict(constraint.to_owned());
        }
        // A CDN or probe was taken out of the settings at this very moment; the next try sees it gone.
        if *database.code() == SqlState::FOREIGN_KEY_VIOLATION {
            return Self::Unavailable(Box::new(error));
        }
        if *database.code() == SqlState::QUERY_CANCELED {
            return Self::TooSlow(error);
        }
        // Class 08 connection, 53 resources (disk full, too many connections), 57 operator
        // intervention (shutdown), 58 system error; 40 a serialization
        // failure or deadlock; 25006 a standby, mid-failover.
        let code = database.code().code();
        if ["08", "40", "53", "57", "58"].contains(&&code[..2]) || code == "25006" {
            return Self::Unavailable(Box::new(error));
        }
        Self::Database(error)
    }
}

impl From<deadpool_postgres::PoolError> for StoreError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => error.into(),
            other => Self::Unavailable(Box::new(other)),
        }
    }
}
