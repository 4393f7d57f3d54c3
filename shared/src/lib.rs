//! What every SignTusk function shares.
//!
//! The modules are layers, and imports run down only:
//!
//! - [`edge`]: HTTP in and out: verify, authorize, parse, respond. The only place that knows status codes.
//! - [`service`]: the rules, and the Redis keys and tables that each rule owns.
//! - [`protocol`]: clients for the outside: Upstash Redis, QStash, Postgres, mail, Secrets Manager. They know nothing of the domain.
//! - [`base`]: environment, clock, ids, secrets. They depend on nothing inside the crate.

pub mod base;
pub mod edge;
pub mod protocol;
pub mod service;
