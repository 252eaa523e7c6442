//! All integration tests in one binary, which links once.

mod house;
mod races;
mod upload;
