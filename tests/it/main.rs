//! All integration tests in one binary, which links once.

mod audit;
mod bucket;
mod clients;
mod commands;
mod crash;
mod epochs;
mod faults;
mod house;
mod http;
mod limits;
mod manage;
mod min_serial;
mod order;
mod people;
mod processes;
mod provenance;
mod races;
mod read;
mod refusals;
mod retention;
mod sampling;
mod schema;
mod storage;
mod streams;
mod upload;
mod varnish;
