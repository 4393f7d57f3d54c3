//! An Upstash-compatible REST front for a real redis-server.
//!
//! It implements <https://upstash.com/docs/redis/features/restapi> on one side and RESP2 on the other. Every command
//! runs at Redis. This crate decides who may send a command and how the reply is written, but never what it means. So a
//! command works if Upstash documents it and that redis-server has it (JSON and hash-field expiry are not in 7.0). It
//! rejects what Upstash rejects: other commands, undeclared keys in scripts with `allow-key-locking`, scripts that run
//! too long, and too large keys and records. Not modelled: the flag on functions (FCALL), a database's own users (ACL
//! SETUSER), and Upstash's different script interpreter.
//!
//! [`start`] starts it; [`Faults`] simulates failures of the network, Redis or Upstash.

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
