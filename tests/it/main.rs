//! All integration tests in one binary, which links once.

mod audit;
mod house;
mod upload;
