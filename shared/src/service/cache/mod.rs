//! Caches of the web app's data in Postgres: filled by one reader at a time, invalidated by the database itself.
//!
//! An entry is a hash with a value and its *generation*. If there is no usable entry, the reading script elects one
//! reader across all instances and grants it a lease. That reader queries the database, and fills the entry if it still
//! has the generation of the election. Other readers wait for a bounded time, or get the stale value if the class
//! allows it. An invalidation deletes the entry with its generation, so a slow reader cannot restore an old value.
//!
//! The kind decides who may see an entry: the user, a domain administrator, or, for signing requests, the parties that
//! the same statement reads with the value.

mod class;
mod entry;
mod get;
mod id;
pub mod invalidation;
pub mod kind;
mod load;
mod put;
mod stats;

pub use self::class::{Class, Display, Former, Never, SECURITY_BOUND, STALE, Security};
pub use self::entry::{Entry, Generation, Loaded, Viewer};
pub use self::get::{Found, Source, Waits};
pub use self::id::{Id, Subject};
pub use self::kind::{AnyKind, Kind};
pub use self::put::{InvalidObject, LARGEST_VALUE, Object, Put};
pub use self::stats::{Figures, KindFigures};

use crate::protocol::postgres::{self, Postgres};
use crate::protocol::upstash::{self, Redis};
use crate::service::key::Family;

/// All families of this service.
pub const KEYS: &[&Family] = &{
    let [a, b, c, d, e, f, g, h, i] = kind::FAMILIES;
    [a, b, c, d, e, f, g, h, i, &stats::FIGURES]
};

/// Why a cache operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store did not accept a change: the value was neither put nor invalidated.
    #[error("the cache cannot be read or written")]
    Store(#[from] upstash::Error),
    /// No usable value is cached, and the database is unavailable.
    #[error("the cached value cannot be read from Postgres")]
    Postgres(#[from] postgres::Error),
    /// Another reader is still filling the entry.
    #[error("another request is loading this entry")]
    Busy,
}

/// The caches, with their store and database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caches {
    redis: Redis,
    postgres: Postgres,
    waits: Waits,
}

impl Caches {
    /// Returns the caches of a migrated database.
    #[must_use]
    pub fn new(redis: Redis, postgres: Postgres) -> Self {
        Self {
            redis,
            postgres,
            waits: Waits::default(),
        }
    }

    /// Returns the same caches with these waits.
    #[must_use]
    pub fn waiting(self, waits: Waits) -> Self {
        Self { waits, ..self }
    }
}
