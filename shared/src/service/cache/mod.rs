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

use jiff::civil::Date;

use self::invalidation::Group;
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

    /// Returns the value of an id, as far as the viewer may see it.
    pub async fn get<C: Class>(
        &self,
        kind: &'static Kind<C>,
        id: &str,
        viewer: &Viewer<'_>,
    ) -> Result<Found, Error> {
        get::get(self, kind, id, viewer).await
    }

    /// Caches a value of the caller: replaces the generation that the caller read, or adds one if none is cached. Users
    /// who could see the entry before see the new value. A new entry is visible to the service only, until it is filled
    /// again.
    ///
    /// Security data is filled from the database only, so this does not compile:
    ///
    /// ```compile_fail,E0308
    /// # use shared::service::cache::{Caches, Object, kind};
    /// # async fn put(caches: Caches, value: Object) {
    /// caches.put(&kind::TOTP_CONFIGS, "u1", &value, None).await;
    /// # }
    /// ```
    ///
    /// The same call for display data compiles:
    ///
    /// ```
    /// # use shared::service::cache::{Caches, Object, kind};
    /// # async fn put(caches: Caches, value: Object) {
    /// caches.put(&kind::USER_PROFILES, "u1", &value, None).await;
    /// # }
    /// ```
    pub async fn put(
        &self,
        kind: &'static Kind<Display>,
        id: &str,
        value: &Object,
        read: Option<&Generation>,
    ) -> Result<Put, Error> {
        put::put(&self.redis, kind, id, value, read).await
    }

    /// Deletes one entry. Afterwards no value that was read before is returned.
    pub async fn invalidate(&self, kind: AnyKind, id: &str) -> Result<(), upstash::Error> {
        invalidation::invalidate(&self.redis, kind, id).await
    }

    /// Deletes the entries of a group, in one request.
    pub async fn invalidate_group(&self, group: Group, id: &str) -> Result<(), upstash::Error> {
        invalidation::invalidate_group(&self.redis, group, id).await
    }

    /// Returns the statistics of a day; of today if none is named.
    pub async fn figures(&self, date: Option<Date>) -> Result<Figures, Error> {
        stats::figures(&self.redis, date).await
    }
}
