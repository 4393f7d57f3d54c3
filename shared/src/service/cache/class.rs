//! The consistency classes of kinds, as types: an operation that a class forbids does not compile.

use std::convert::Infallible;
use std::time::Duration;

use super::entry::Entry;

/// The longest life of cached security data, which bounds the effect of a missed invalidation.
pub const SECURITY_BOUND: Duration = Duration::from_mins(1);

/// How long stale display data may be returned: while one reader refreshes it, or while the database is unavailable.
pub const STALE: Duration = Duration::from_hours(1);

/// Data that decides permissions. It lives for at most [`SECURITY_BOUND`] and is never returned stale. It is filled
/// from the database only, and strings that the web app wrote are not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Security {
    ttl: Duration,
}

/// Data for display. It may be stale while one reader refreshes it, and the web app may put its own value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Display {
    ttl: Duration,
    former: Former,
}

/// The treatment of a plain string that the web app's own code wrote under the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Former {
    /// It is returned for the rest of its life.
    Trusted,
    /// It is deleted: the web app stored whole rows there, with signatures and addresses.
    Replaced,
}

impl Security {
    /// Returns a class whose entries live for `ttl`.
    ///
    /// # Panics
    /// A constant beyond the bound does not compile.
    pub(super) const fn new(ttl: Duration) -> Self {
        assert!(ttl.as_millis() <= SECURITY_BOUND.as_millis());
        Self { ttl }
    }
}

impl Display {
    /// Returns a class whose entries are fresh for `ttl`.
    pub(super) const fn new(ttl: Duration, former: Former) -> Self {
        Self { ttl, former }
    }

    /// Returns how long a value is fresh.
    pub(super) fn ttl(self) -> Duration {
        self.ttl
    }
}

/// The freshness and the life of a filled entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// How long it is fresh, if it lives longer than that; else it is fresh for its whole life.
    pub(super) fresh: Option<Duration>,
    /// How long it is kept.
    pub(super) kept: Duration,
}

/// A consistency class.
pub trait Class: sealed::Sealed + Copy + std::fmt::Debug + Send + Sync + 'static {
    /// An entry that may be returned although it is stale. Security data has none.
    type Stale: Into<Entry> + Send;

    /// Returns the entry, if this class allows a stale one.
    fn stale(entry: Entry) -> Option<Self::Stale>;

    /// Returns how long an entry of this class lives.
    fn lifetimes(self) -> Lifetimes;

    /// Returns how long a plain string of the web app is trusted; zero if it is not.
    fn trusted_for(self) -> Duration;
}

impl Class for Security {
    type Stale = Never;

    fn stale(_: Entry) -> Option<Never> {
        None
    }

    fn lifetimes(self) -> Lifetimes {
        Lifetimes {
            fresh: None,
            kept: self.ttl,
        }
    }

    fn trusted_for(self) -> Duration {
        Duration::ZERO
    }
}

impl Class for Display {
    type Stale = Entry;

    fn stale(entry: Entry) -> Option<Entry> {
        Some(entry)
    }

    fn lifetimes(self) -> Lifetimes {
        Lifetimes {
            fresh: Some(self.ttl),
            kept: self.ttl + STALE,
        }
    }

    fn trusted_for(self) -> Duration {
        match self.former {
            Former::Trusted => self.ttl,
            Former::Replaced => Duration::ZERO,
        }
    }
}

/// A type without values, for a case that cannot occur.
#[derive(Clone, Copy, Debug)]
pub struct Never(Infallible);

impl From<Never> for Entry {
    fn from(never: Never) -> Self {
        match never.0 {}
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Security {}
    impl Sealed for super::Display {}
}
