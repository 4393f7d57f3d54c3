//! Why the server did not start.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::store;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is in use, or not this machine's.
    #[error("cannot listen on {address}")]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The data folder cannot be created or used.
    #[error("cannot use the data folder {}", path.display())]
    Folder {
        /// The requested folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The store cannot be opened: another server holds it, or the file is damaged.
    #[error("cannot open the store")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The HTTP client for deliveries cannot be created.
    #[error("cannot set up the HTTP client")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Returns the text of an error, followed by the texts of its causes. A cause whose text is already included is not
/// repeated.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

impl From<store::Error> for Error {
    fn from(source: store::Error) -> Self {
        Self::Store(Box::new(source))
    }
}
