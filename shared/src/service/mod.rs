//! The rules, each with the Redis keys and tables that it owns.
//!
//! - Work: [`job`] records, claims and commits jobs; [`outbox`] holds the follow-up actions of a database change;
//!   [`capacity`] is the table of instances and flow-control keys; [`cleanup`] deletes expired data.
//! - People: [`mail`] is everything about e-mails, [`notification`] the inbox and push subscriptions; [`session`] signs
//!   users in, and [`token`] holds one-time tokens and TOTP codes.
//! - Reads: [`cache`] holds rows of the web app's tables, [`analytics`] the counters of the day, [`realtime`] the
//!   events of channels, and [`audit`] the hash chains.
//! - Protection: [`rate_limit`] has the named limiters, [`security`] the block list and lockouts; [`user_agent`] parses
//!   user agents.
//! - Beside them: [`key`] is a family of Redis keys, and [`page`] a page of a list and its cursor.

pub mod analytics;
pub mod audit;
pub mod cache;
pub mod capacity;
pub mod cleanup;
pub mod job;
pub mod key;
pub mod mail;
pub mod notification;
pub mod outbox;
pub mod page;
pub mod rate_limit;
pub mod realtime;
pub mod security;
pub mod session;
pub mod token;
pub mod user_agent;

/// All families of Redis keys, by the service that owns them.
pub const KEYS: &[(&str, &[&key::Family])] = &[
    ("analytics", analytics::KEYS),
    ("cache", cache::KEYS),
    ("job", job::keys::ALL),
    ("mail", mail::budget::KEYS),
    ("notification", notification::KEYS),
    ("rate_limit", rate_limit::LIMITER_KEYS),
    ("rate_limit", rate_limit::KEYS),
    ("realtime", realtime::KEYS),
    ("security", security::KEYS),
    ("session", session::KEYS),
    ("token", token::KEYS),
];
