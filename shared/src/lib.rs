//! The crate that all SignTusk functions share.
//!
//! The modules are layers, and imports run down only:
//!
//! - [`edge`]: HTTP in and out: verify, authorize, parse, respond. Only this layer uses status codes.
//! - [`service`]: the rules, and the Redis keys and tables that each rule owns.
//! - [`protocol`]: clients for external services: Upstash Redis, QStash, Postgres, mail, Secrets Manager. They have no
//!   domain types.
//! - [`base`]: environment, clock, ids, secrets. They depend on nothing else in the crate.

pub mod base;
pub mod edge;
pub mod protocol;
pub mod service;
