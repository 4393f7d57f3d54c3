//! Why a measurement failed.

use std::io;

use shared::base::causes::causes;

/// Why a measurement failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The local cloud did not start.
    #[error("the local cloud did not start")]
    Cloud(#[from] local::cloud::Error),
    /// The gateway of the comparison did not start.
    #[error("the gateway did not start")]
    Gateway(#[from] local_gateway::Error),
    /// A request failed.
    #[error("a request failed")]
    Http(#[from] reqwest::Error),
    /// No client could be created.
    #[error("HTTP client setup failed")]
    Client(#[from] shared::protocol::http::Error),
    /// Redis did not answer.
    #[error("Redis did not answer")]
    Redis(#[from] shared::protocol::upstash::Error),
    /// A job could not be read.
    #[error("a job cannot be read")]
    Job(#[from] shared::service::job::Error),
    /// The database did not answer.
    #[error("Postgres did not answer")]
    Postgres(#[from] shared::protocol::postgres::Error),
    /// A cached value could not be read.
    #[error("a cached value cannot be read")]
    Cache(#[from] shared::service::cache::Error),
    /// The audit log did not accept an event.
    #[error("the audit log did not accept an event")]
    Audit(#[from] shared::service::audit::Error),
    /// A file or a process could not be used.
    #[error("{what}")]
    System {
        /// The failed operation.
        what: String,
        /// The system's error.
        source: io::Error,
    },
    /// A response was wrong, so a measurement of it would mean nothing.
    #[error("unexpected: {0}")]
    Unexpected(String),
}

impl Error {
    /// Returns a conversion for `map_err` on system errors.
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        |source| Self::System { what, source }
    }

    /// Returns the error with its causes, in one line.
    pub(crate) fn in_full(&self) -> String {
        causes(self)
    }
}
