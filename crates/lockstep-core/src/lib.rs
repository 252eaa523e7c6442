//! The pure part of Lockstep: what a project name, a version, a digest, a serial, a change and a
//! simple page *are*, and the rules over them.
//!
//! Architecture invariant: nothing here reads a clock, a random source, a file or a socket, so
//! nothing here can fail for a reason outside its arguments, and the same arguments give the same
//! bytes on any machine.

// What everything is made of …
pub mod digest;
pub mod entry_points;
pub mod filename;
pub mod metadata;
pub mod name;
pub mod record;
pub mod serial;
pub mod status;
pub mod version;

// … what happens to it …
pub mod change;

// … what is shown of it …
mod escape;
pub mod latest;
pub mod manifest;
pub mod page;

// … and what the world must be told.
pub mod announce;
pub mod plan;
