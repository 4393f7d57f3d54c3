//! An Upstash-compatible REST front for a real redis-server.
//!
//! It speaks what <https://upstash.com/docs/redis/features/restapi> describes on one side and RESP2 on the other.
//! Every command runs at Redis: this crate decides who may send it, and how the reply is written, never what it means.
//! So a command is there if that redis-server has it (JSON and hash-field expiry are not in 7.0), and two refusals of
//! Upstash's are missing: of keys that a script with `allow-key-locking` did not declare, and of keys over 32 KB.
//!
//! [`start`] brings it up; [`Faults`] makes it misbehave as the network, Redis or Upstash would.

mod access;
mod answer;
mod catalogue;
mod command;
mod error;
mod executor;
mod fault;
mod format;
mod front;
mod malformed;
mod outcome;
mod permission;
mod redis;
mod request;
mod request_body;
mod scripts;
mod service;
mod settings;
mod stream;
mod sync_token;

pub use error::Error;
pub use fault::{Fault, Faults};
pub use front::{Front, start};
pub use settings::Settings;
