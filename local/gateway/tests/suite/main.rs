//! The gateway over real processes: every test starts binaries of `examples/echo.rs` behind a template of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's own tools may fail it; only test functions are exempt by configuration"
)]

mod client;
mod concurrency;
mod failures;
mod harness;
mod instances;
mod limits;
mod process_guard;
mod requests;
