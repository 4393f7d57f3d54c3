//! The integration suite: real Redis, real Postgres, the real binaries, the official SDK clients as callers.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what went wrong by panicking"
)]

mod audit;
mod budgets;
mod caches;
mod chaos;
mod cleanup;
mod delivery;
mod delivery_truth;
mod email_budget;
mod events;
mod glibc;
mod input;
mod kill;
mod letters;
mod mail_events;
mod mail_ledger;
mod main_job;
mod migrations;
mod notifications;
mod openapi;
mod operating;
mod outages;
mod outbox;
mod pooler;
mod rate_limits;
mod recipients;
mod schemathesis;
mod sdk;
mod secrets;
mod security;
mod services;
mod ses;
mod sessions;
mod signatures;
mod structure;
mod support;
mod suppressions;
mod template;
mod typescript;
mod unsubscribe;
mod upstash;
