//! The only SQL: PostgreSQL behind plain async functions.
//!
//! Not a repository layer and no objects: each function runs one statement of `sql/queries` on the
//! connection or transaction it is given, and turns rows into the core's types. What belongs in one
//! transaction is the caller's decision (see the server's `publish/commit.rs`).
//!
//! Architecture invariant: no other crate names tokio-postgres, deadpool-postgres or refinery.

// How one gets there …
mod decode;
mod error;
pub mod listen;
pub mod migrate;
mod pool;
mod query;

// … and what is kept, in the order in which an upload touches it.
pub mod announcements;
pub mod changelog;
pub mod edge_checks;
pub mod files;
pub mod fresh;
pub mod identity;
pub mod outbox;
pub mod pages;
pub mod projects;
pub mod provenances;
pub mod releases;
pub mod retention;
pub mod states;
pub mod targets;
pub mod tokens;
pub mod upload_budgets;
pub mod verifications;
pub mod watermarks;

// … and what people and feed readers are shown of it.
pub mod catalog;

pub use error::StoreError;
pub use pool::{Connection, Health, Store, Transaction, begin, begin_snapshot, commit};
pub use query::{Client, QUERIES, Query};
