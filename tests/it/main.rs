//! All integration tests in one binary, which links once.

mod commands;
mod house;
mod http;
mod read;
mod refusals;
mod schema;
mod storage;
mod upload;
