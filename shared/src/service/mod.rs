//! The rules, each with the Redis keys and tables that it owns.

pub mod analytics;
pub mod audit;
pub mod branding;
pub mod cache;
pub mod capacity;
pub mod cleanup;
pub mod email;
pub mod email_budget;
pub mod job;
pub mod key;
pub mod mail_event;
pub mod mail_ledger;
pub mod notification;
pub mod outbox;
pub mod page;
pub mod rate_limit;
pub mod realtime;
pub mod security;
pub mod session;
pub mod suppression;
pub mod token;
pub mod unsubscribe;
pub mod user_agent;

/// Every family of Redis keys, by the service that owns it.
pub const KEYS: &[(&str, &[&key::Family])] = &[
    ("analytics", analytics::KEYS),
    ("cache", cache::KEYS),
    ("email_budget", email_budget::KEYS),
    ("job", job::keys::ALL),
    ("notification", notification::KEYS),
    ("rate_limit", rate_limit::LIMITER_KEYS),
    ("rate_limit", rate_limit::KEYS),
    ("realtime", realtime::KEYS),
    ("security", security::KEYS),
    ("session", session::KEYS),
    ("token", token::KEYS),
];
