//! The harness: a real index, real caches, real distributions, for the tests in `it/`.

pub mod checks;
pub mod database;
pub mod devpi;
pub mod dist;
pub mod edge;
pub mod fastly;
pub mod form;
pub mod index;
pub mod pep381;
pub mod purge_sink;
pub mod reader;
pub mod s3;
pub mod slow;
pub mod varnish;
