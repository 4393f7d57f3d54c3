//! Why a measurement could not be made.

use std::io;

use shared::base::causes::causes;

/// Why a measurement could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The local cloud did not come up.
    #[error("the local cloud did not start")]
    Cloud(#[from] local::cloud::Error),
    /// The gateway of the comparison did not come up.
    #[error("the gateway did not start")]
    Gateway(#[from] local_gateway::Error),
    /// A request was not answered.
    #[error("a request failed")]
    Http(#[from] reqwest::Error),
    /// No client could be built.
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
    /// The audit log did not take an event.
    #[error("the audit log did not accept an event")]
    Audit(#[from] shared::service::audit::Error),
    /// A file or a process could not be used.
    #[error("{what}")]
    System {
        /// What was to be done.
        what: String,
        /// The system's reason.
        source: io::Error,
    },
    /// Something answered what it must not: a number measured on it would say nothing.
    #[error("unexpected: {0}")]
    Unexpected(String),
}

impl Error {
    /// For `map_err` on what the system does.
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        |source| Self::System { what, source }
    }

    /// The error with its causes, in one line.
    pub(crate) fn in_full(&self) -> String {
        causes(self)
    }
}
