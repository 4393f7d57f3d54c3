//! The settings of the front: its address, its redis-server and its two tokens.

use std::fmt;
use std::net::SocketAddr;

use crate::limits::Limits;
use crate::replica::Lag;

/// The settings of [`start`](crate::start).
#[derive(Clone)]
pub struct Settings {
    /// The address; port 0 takes a free port, which [`Front::url`](crate::Front::url) returns.
    pub listen: SocketAddr,
    /// The redis-server for the commands, without a password.
    pub redis: SocketAddr,
    /// The standard token: every command that Upstash offers.
    pub token: String,
    /// The read-only token: commands that only read, except SCAN and KEYS. Empty: there is none.
    pub read_only_token: String,
    /// The limits of the database.
    pub limits: Limits,
    /// The replica that serves plain reads, except for callers that send `upstash-sync-token`.
    pub lag: Option<Lag>,
}

impl Settings {
    /// Returns settings with Upstash's limits, without a lagging replica.
    #[must_use]
    pub fn new(listen: SocketAddr, redis: SocketAddr, token: String) -> Self {
        Self {
            listen,
            redis,
            token,
            read_only_token: String::new(),
            limits: Limits::default(),
            lag: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("listen", &self.listen)
            .field("redis", &self.redis)
            .field("token", &"[redacted]")
            .field("read_only_token", &"[redacted]")
            .field("limits", &self.limits)
            .field("lag", &self.lag)
            .finish()
    }
}
