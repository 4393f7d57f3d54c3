//! Why there is no database.

use std::io;
use std::path::PathBuf;

use crate::process;

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server is not installed.
    #[error("PostgreSQL is not installed; install the package postgresql")]
    Missing,
    /// The data were made by another version than those installed.
    #[error("{} was made by PostgreSQL {version}, which is not installed; install it or delete the folder", data.display())]
    Version {
        /// The folder of the data.
        data: PathBuf,
        /// Its version.
        version: String,
    },
    /// As root, PostgreSQL needs a user of its own.
    #[error(
        "PostgreSQL does not run as root and there is no system user postgres; install the package postgresql"
    )]
    NoUser,
    /// A folder cannot be used.
    #[error("cannot prepare {}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A program did not run.
    #[error(transparent)]
    Process(#[from] process::Error),
    /// A name that is no plain identifier.
    #[error("{0:?} is not a database name; use lower-case letters, digits and underscores")]
    Name(String),
    /// The database cannot be reached.
    #[error("cannot connect to the database")]
    Connect(#[source] tokio_postgres::Error),
    /// The database refused a statement of ours.
    #[error("the database rejected a statement: {}", said(.0))]
    Refused(#[source] tokio_postgres::Error),
    /// The database refused a migration.
    #[error("migration {name} failed: {}", said(source))]
    Migration {
        /// The file.
        name: String,
        /// What the database said.
        #[source]
        source: tokio_postgres::Error,
    },
}

/// The server's own words; the driver's are only `db error`.
fn said(error: &tokio_postgres::Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), ToString::to_string)
}
