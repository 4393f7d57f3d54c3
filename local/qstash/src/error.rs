//! Why a server could not be started.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::store;

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The data folder cannot be made or used.
    #[error("cannot use the data folder {}", path.display())]
    Folder {
        /// What was asked for.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The store cannot be opened: another server holds it, or the file is damaged.
    #[error("cannot open the store")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The HTTP client that delivers cannot be built.
    #[error("cannot set up the HTTP client")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The text of an error, followed by the texts of its causes. A cause whose text is already there is not repeated.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
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
