//! Why the cloud did not start, in messages that say what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::{postgres, redis_server};

/// Why the cloud did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another program listens on the port.
    #[error(
        "port {port} ({part}) is taken: stop what listens there, or choose another with --{flag} (0: a free one)"
    )]
    PortTaken {
        /// The port.
        port: u16,
        /// The part that needs it.
        part: &'static str,
        /// The option that selects another port.
        flag: &'static str,
    },
    /// Another cloud uses the same folder.
    #[error("another local cloud uses {}: stop it, or choose another folder with --data", .0.display())]
    InUse(PathBuf),
    /// The functions have not been built.
    #[error("{} is not there: build the functions first (cargo build)", .0.display())]
    NotBuilt(PathBuf),
    /// A file or folder of the cloud cannot be used.
    #[error("cannot use {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Redis did not start.
    #[error(transparent)]
    RedisServer(#[from] redis_server::Error),
    /// The database did not start, or rejected a migration or the sample data.
    #[error(transparent)]
    Postgres(#[from] postgres::Error),
    /// The REST front did not start.
    #[error("the Redis REST front did not start")]
    RedisRest(#[source] local_redis_rest::Error),
    /// QStash did not start.
    #[error("QStash did not start")]
    Qstash(#[source] local_qstash::Error),
    /// The mail providers did not start.
    #[error("the mail providers did not start")]
    Mail(#[source] local_mail::Error),
    /// The push service did not start.
    #[error("the push service did not start")]
    Push(#[source] local_push::Error),
    /// The object store did not start.
    #[error("the object store did not start")]
    Objects(#[source] local_objects::Error),
    /// The gateway did not start.
    #[error("the gateway did not start")]
    Gateway(#[source] local_gateway::Error),
}

impl Error {
    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write {
            path: path.to_owned(),
            source,
        }
    }
}
