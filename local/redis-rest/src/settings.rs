//! Where the front listens, which Redis stands behind it, and the two tokens it accepts.

use std::fmt;
use std::net::SocketAddr;

use crate::limits::Limits;
use crate::replica::Lag;

/// What [`start`](crate::start) needs.
#[derive(Clone)]
pub struct Settings {
    /// The address to listen on; port 0 takes a free one, which [`Front::url`](crate::Front::url) then names.
    pub listen: SocketAddr,
    /// The redis-server to pass commands to, without a password.
    pub redis: SocketAddr,
    /// The standard token: every command that Upstash offers.
    pub token: String,
    /// The read-only token: commands that only read, SCAN and KEYS excepted. Empty: there is none.
    pub read_only_token: String,
    /// What a database may do.
    pub limits: Limits,
    /// The replica that plain reads are served from, but for callers that send `upstash-sync-token` back.
    pub lag: Option<Lag>,
}

impl Settings {
    /// A front with Upstash's limits, without a replica that lags.
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
