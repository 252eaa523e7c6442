//! All integration tests in one binary, which links once.

mod epochs;
mod house;
mod races;
mod retention;
mod streams;
mod upload;
