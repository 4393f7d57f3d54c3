//! Why the front did not start.

use std::io;
use std::net::SocketAddr;

/// Why the front did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is in use or not permitted: choose another port.
    #[error("cannot listen on {address}")]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// No redis-server answers there: start it first.
    #[error("no redis-server answers on {address}")]
    Redis {
        /// Its expected address.
        address: SocketAddr,
        /// The connection's error.
        #[source]
        source: io::Error,
    },
    /// The standard token is empty, which would allow every caller.
    #[error("the standard token is empty")]
    EmptyToken,
}
