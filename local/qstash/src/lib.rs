//! A QStash-compatible server that stores, signs, delivers and retries messages.
//!
//! It implements the REST API of `@upstash/qstash` (<https://upstash.com/docs/qstash/api>), with the tokens, keys and
//! port of the official development server. Unlike that one it survives a restart: an accepted message is in a `redb`
//! file until it is delivered, cancelled or moved to the dead-letter queue.

mod api;
mod backoff;
mod broker;
mod bulk_action;
mod callback;
mod cancel;
mod clock;
mod cron;
mod dead_letter;
mod deduplication;
mod delivery;
mod destination;
mod disorder;
mod duration;
mod error;
mod event;
mod filter;
mod flow_control;
mod header_map;
mod headers;
mod hosts;
mod keys;
mod message;
mod name;
mod options;
mod outcome;
mod plan;
mod publish;
mod queue;
mod redaction;
mod retry_after;
mod retry_expression;
mod schedule;
mod scheduler;
mod server;
mod settings;
mod signature;
mod store;
mod url_group;
mod usage;

pub use disorder::Disorder;
pub use error::Error;
pub use hosts::Hosts;
pub use plan::{Plan, UnknownPlan};
pub use server::{Server, start};
pub use settings::Settings;
pub use signature::sign as signature;
