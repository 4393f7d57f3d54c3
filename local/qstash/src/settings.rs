//! The settings of a server.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::plan::PlanLimits;
use crate::{Disorder, Hosts, Plan};

/// The token of the development server's default user.
const OFFICIAL_TOKEN: &str =
    "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=";
const OFFICIAL_CURRENT_KEY: &str = "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r";
const OFFICIAL_NEXT_KEY: &str = "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs";

/// The settings of a server.
#[derive(Clone)]
pub struct Settings {
    /// The address of the API; port 0 takes a free port, which [`crate::Server::url`] returns.
    pub listen: SocketAddr,
    /// The folder of the store; created when missing, locked while the server runs.
    pub data: PathBuf,
    /// The bearer token that every call must have.
    pub token: String,
    /// Signs deliveries, until the keys are rotated.
    pub current_signing_key: String,
    /// Becomes the current key when the keys are rotated.
    pub next_signing_key: String,
    /// The speed of the server's time: 1.0 is real time, at 60.0 a minute passes in a second. It is limited to 0.001 to
    /// 1,000,000. Delays, backoff, rate periods, the deduplication window and schedules follow it. The times in
    /// signatures and HTTP timeouts do not, because the receiver's clock is real.
    pub speed: f64,
    /// The account's plan; requests beyond it are rejected as by the real service.
    pub plan: Plan,
    /// The management calls per second, if different from the plan: a caller on the same machine is faster than one
    /// over the Internet.
    pub calls_a_second: Option<u32>,
    /// The allowed hosts of messages.
    pub hosts: Hosts,
    /// Artificial duplicates and reordering, if any.
    pub disorder: Option<Disorder>,
}

impl Settings {
    /// Returns the token and keys of the official development server, in real time. `@upstash/qstash` uses them with
    /// `QSTASH_DEV`, at `127.0.0.1:8080`. Loopback is allowed, as there.
    #[must_use]
    pub fn official(listen: SocketAddr, data: PathBuf) -> Self {
        Self {
            listen,
            data,
            token: OFFICIAL_TOKEN.to_owned(),
            current_signing_key: OFFICIAL_CURRENT_KEY.to_owned(),
            next_signing_key: OFFICIAL_NEXT_KEY.to_owned(),
            speed: 1.0,
            plan: Plan::default(),
            calls_a_second: None,
            hosts: Hosts {
                loopback: true,
                ..Hosts::default()
            },
            disorder: None,
        }
    }

    /// Returns the account's limits.
    pub(crate) fn limits(&self) -> PlanLimits {
        let mut limits = self.plan.limits();
        limits.calls_a_second = self.calls_a_second.unwrap_or(limits.calls_a_second);
        limits
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("listen", &self.listen)
            .field("data", &self.data)
            .field("token", &"[redacted]")
            .field("current_signing_key", &"[redacted]")
            .field("next_signing_key", &"[redacted]")
            .field("speed", &self.speed)
            .field("plan", &self.plan)
            .field("calls_a_second", &self.calls_a_second)
            .field("hosts", &self.hosts)
            .field("disorder", &self.disorder)
            .finish()
    }
}
