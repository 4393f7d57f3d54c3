//! The front with a real redis-server, over real HTTP.

#![expect(
    clippy::unwrap_used,
    reason = "a test's fixtures fail the test by panicking"
)]

mod access;
mod batches;
mod client;
mod commands;
mod faults;
mod lifecycle;
mod limits;
mod replica;
mod scripts;
mod server;
mod streams;
