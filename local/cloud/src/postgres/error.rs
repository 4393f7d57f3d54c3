//! Why the database is not available.

use std::io;
use std::path::PathBuf;

use crate::process;

/// Why the database is not available.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server is not installed.
    #[error("PostgreSQL is not installed; install the package postgresql")]
    Missing,
    /// A version that is not installed created the data.
    #[error("{} was made by PostgreSQL {version}, which is not installed; install it or delete the folder", data.display())]
    Version {
        /// The folder of the data.
        data: PathBuf,
        /// Its version.
        version: String,
    },
    /// As root, PostgreSQL needs another system user.
    #[error(
        "PostgreSQL does not run as root and there is no system user postgres; install the package postgresql"
    )]
    NoUser,
    /// A folder cannot be used.
    #[error("cannot prepare {}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A program failed.
    #[error(transparent)]
    Process(#[from] process::Error),
    /// The database name is not a plain identifier.
    #[error("{0:?} is not a database name; use lower-case letters, digits and underscores")]
    Name(String),
    /// The database cannot be reached.
    #[error("cannot connect to the database")]
    Connect(#[source] tokio_postgres::Error),
    /// The database rejected a statement.
    #[error("the database rejected a statement: {}", server_message(.0))]
    Refused(#[source] tokio_postgres::Error),
    /// The database rejected a migration.
    #[error("migration {name} failed: {}", server_message(source))]
    Migration {
        /// The file.
        name: String,
        /// The database's error.
        #[source]
        source: tokio_postgres::Error,
    },
}

/// Returns the server's error message; the driver's message is only `db error`.
fn server_message(error: &tokio_postgres::Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), ToString::to_string)
}
