//! The client's half: what a mirror, or whoever watches one, does with the changelog.
//!
//! Start reading at [`audit`]; the rules by which a page is judged are in [`judge`], and are pure.
//!
//! Architecture invariant: this knows the index by its public HTTP interface alone, as any mirror
//! could (docs/guide/mirrors.md); it depends on lockstep-core and on no other part of the server.

// What is asked …
pub mod audit;

// … what was announced …
pub mod changelog;
pub mod index;

// … what is shown …
pub mod shown;
pub mod target;

// … and whether the two agree.
pub mod judge;
pub mod manifest;
pub mod report;

mod fetch;
