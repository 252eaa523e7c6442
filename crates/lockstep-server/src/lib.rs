//! The only process: settings, HTTP, loops, command line (binary `lockstep`).
//!
//! Start reading at [`publish`] for what happens to an upload, at `manage` for what operators order, at
//! [`read`] for what is answered.
//!
//! Architecture invariant: no SQL here (that is lockstep-store's), and no HTTP out (lockstep-cdn's).

// What a process is …
pub mod app;
pub mod cli;
pub mod serve;
pub mod settings;

// … what it does …
mod guard;
mod http;
pub mod login;
mod manage;
mod people;
pub mod publish;
pub mod read;
pub mod retention;

// … and what both are made with.
pub mod blobs;
pub mod error;
pub mod fault;
mod linger;
pub mod metrics;
mod pace;
pub mod postgres;
pub mod token;
pub mod turns;
pub mod wake;
