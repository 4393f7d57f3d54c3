//! An Upstash-compatible REST front for a real redis-server.
//!
//! It speaks what <https://upstash.com/docs/redis/features/restapi> describes on one side and RESP2 on the other.
//! Every command runs at Redis: this crate decides who may send it, and how the reply is written, never what it means.
//! So a command is there if Upstash documents it and that redis-server has it (JSON and hash-field expiry are not in 7.0).
//! It refuses what Upstash refuses: other commands, keys that a script with `allow-key-locking` did not declare, scripts
//! that run too long, keys and records that are too large. Not modelled: the flag on functions (FCALL), users of a
//! database's own (ACL SETUSER), and that a script runs in another interpreter.
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
mod limits;
mod malformed;
mod outcome;
mod permission;
mod record_size;
mod redis;
mod replica;
mod request;
mod request_body;
mod script_runner;
mod script_time;
mod script_users;
mod scripts;
mod server_group;
mod service;
mod settings;
mod step;
mod stream;
mod sync_token;

pub use error::Error;
pub use fault::{Fault, Faults};
pub use front::{Front, start};
pub use limits::Limits;
pub use replica::Lag;
pub use settings::Settings;
