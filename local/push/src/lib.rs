//! A push service on loopback: what a browser's vendor runs, as far as an application server sees it (RFC 8030), strict
//! where those are. It cannot read what it takes, and keeps it.
//!
//! `POST /push/{name}` takes a message, `GET /messages` lists them as JSON, newest last. A test says what a subscription
//! answers with [`Server::answer_with`].

mod message_store;
mod server;
mod token;

pub use message_store::PushMessage;
pub use server::{Error, Server, start};
