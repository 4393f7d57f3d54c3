//! A push service on loopback: the server of a browser vendor from the application server's side (RFC 8030), as strict
//! as the real ones. It stores messages, which it cannot decrypt.
//!
//! `POST /push/{name}` accepts a message, `GET /messages` lists them as JSON, newest last. A test sets the response of
//! a subscription with [`Server::answer_with`].

mod message_store;
mod server;
mod token;

pub use message_store::PushMessage;
pub use server::{Error, Server, start};
