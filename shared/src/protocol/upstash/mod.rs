//! A client for Upstash's Redis REST protocol.
//!
//! A command is a JSON array posted to `/`. Several go to `/pipeline` (in order, not atomic) or `/multi-exec` (atomic).
//! A subscription is a stream of server-sent events. Replies are requested in base64, so that JSON can carry any byte.
//! Source: Upstash's REST API documentation.
//!
//! This client adds typed replies, a deadline on each call, and the repetition of repeatable calls only (see
//! [`Command::repeatable`] and [`Script::repeatable`]).

mod client;
mod command;
mod error;
mod path;
mod piggyback;
mod pipeline;
mod reply;
mod script;
mod subscription;
mod transport;
mod usage;

pub use client::Redis;
pub use command::{BinaryCommand, Command};
pub use error::Error;
pub use piggyback::{PiggybackResult, attach};
pub use pipeline::{Pipeline, Replies};
pub use reply::{FromReply, Pairs, Reply};
pub(crate) use script::key_locked;
pub use script::{Invocation, Script};
pub use subscription::{Message, Subscription};
pub use usage::{Spent, Usage};
