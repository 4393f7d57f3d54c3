//! HTTP in and out: verify, authorize, parse, respond. Only this layer uses status codes.
//!
//! Three kinds of function use it: an API endpoint ([`api`]: a router behind a [`guard`]), a job ([`job`]: verify,
//! claim, run, commit) and a webhook that is not a job ([`webhook`]).

pub mod api;
pub mod caller;
pub mod documented;
pub mod fatal;
pub mod guard;
pub mod input;
pub mod instant;
pub mod job;
pub mod limiter;
pub mod metrics;
pub mod page;
pub mod problem;
pub mod schema;
pub mod telemetry;
pub mod webhook;

mod deadline;
mod error_mapping;
mod path;
mod start;

pub use caller::Caller;
pub use error_mapping::unsigned;
pub use fatal::Fatal;
pub use guard::{Guard, PublicGuard, unlimited};
pub use problem::{Problem, Result};
pub use start::start;
