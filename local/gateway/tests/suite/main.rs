//! The gateway over real processes: every test runs binaries of `examples/echo.rs` with a test template.

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
