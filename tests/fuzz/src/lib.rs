//! What must hold for any bytes at all, one function a target.
//!
//! The programs in `targets/` feed these functions with libFuzzer; `tests/corpus.rs` feeds them the
//! committed corpus, so that what was found once is looked at in every run. Each says whether Lockstep
//! took the input: the corpus' good ones must be taken, or a target would see no more than the door.
//!
//! Invariant: a function here panics when, and only when, Lockstep is wrong.

mod accept;
mod archive;
mod core;
mod recipe;
mod server;
mod upload;
mod xmlrpc;

pub use accept::accept;
pub use archive::{sdist, wheel};
pub use core::{filename, metadata, names, versions};
pub use upload::{answer, form, upload};
pub use xmlrpc::xmlrpc;
