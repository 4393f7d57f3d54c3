//! Caches of what the web app keeps in Postgres: filled by one reader at a time, invalidated by the database itself.
//!
//! An entry is a hash with a value and the *generation* that it is of. Where there is nothing to answer with, the
//! script that reads elects one reader across all instances and gives it a lease; that reader asks the database and
//! fills the entry if it is still of the generation of its election. The others wait for a bounded time, or are given
//! the stale value where the class allows it. An invalidation takes the entry away and its generation with it: a slow
//! reader cannot bring back what it read before.
//!
//! Who may see an entry is part of its kind: a user's own, a domain administrator's, or, for signing requests, the
//! parties that the same statement reads with the value.

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

/// Why a cache gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store did not take a change. What was to be put or invalidated is not.
    #[error("the cache cannot be read or written")]
    Store(#[from] upstash::Error),
    /// Nothing that may be answered is cached, and the database cannot be asked.
    #[error("the cached value cannot be read from Postgres")]
    Postgres(#[from] postgres::Error),
    /// Another reader is filling the entry and has not come to an end.
    #[error("another request is loading this entry")]
    Busy,
}

/// The caches, over the store and the database that they are filled from. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caches {
    redis: Redis,
    postgres: Postgres,
    waits: Waits,
}

impl Caches {
    /// The caches of a migrated database.
    #[must_use]
    pub fn new(redis: Redis, postgres: Postgres) -> Self {
        Self {
            redis,
            postgres,
            waits: Waits::default(),
        }
    }

    /// The same, whose readers wait for one another as long as this.
    #[must_use]
    pub fn waiting(self, waits: Waits) -> Self {
        Self { waits, ..self }
    }
}
