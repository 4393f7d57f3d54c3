//! The integration suite: real Redis, real Postgres, the real binaries, the official SDK clients as callers.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what went wrong by panicking"
)]

mod openapi;
mod structure;
