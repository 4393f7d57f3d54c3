//! The integration suite: real Redis, real Postgres, the real binaries, the official SDK clients as callers.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what went wrong by panicking"
)]

mod adding;
mod audit;
mod budgets;
mod caches;
mod chaos;
mod cleanup;
mod conformance;
mod delivery;
mod email_budget;
mod events;
mod glibc;
mod input;
mod kill;
mod log_lines;
mod mail_delivery;
mod mail_events;
mod mail_ledger;
mod mail_rates;
mod mail_templates;
mod main_job;
mod migrations;
mod notifications;
mod odd_data;
mod openapi;
mod operating;
mod outages;
mod outbox;
mod pooler;
mod promises;
mod rate_limits;
mod real_services;
mod recipients;
mod role;
mod schemathesis;
mod scripts;
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
mod user_agents;
