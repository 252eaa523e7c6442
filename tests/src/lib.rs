//! The harness: a real index, real caches, real distributions, for the tests in `it/`.

pub mod dist;
pub mod fastly;
pub mod form;
pub mod index;
pub mod slow;
pub mod varnish;
