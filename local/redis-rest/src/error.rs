//! Why the front could not be started.

use std::io;
use std::net::SocketAddr;

/// A front that did not come up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The listening address is taken or not ours: choose another port.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No redis-server answers there: start it first.
    #[error("no redis-server answers on {address}")]
    Redis {
        /// Where it was expected.
        address: SocketAddr,
        /// What the connection said.
        #[source]
        source: io::Error,
    },
    /// The standard token is empty, which would let everyone in.
    #[error("the standard token is empty")]
    EmptyToken,
}
