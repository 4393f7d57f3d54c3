//! Clients of external services, one module per protocol. They have no domain types.

#[cfg(test)]
pub(crate) mod canned;
pub mod http;
pub mod mail;
pub mod object_storage;
pub mod postgres;
pub mod qstash;
pub mod secrets_manager;
mod sigv4;
pub mod sns;
pub mod svix;
pub mod upstash;
pub mod web_push;
