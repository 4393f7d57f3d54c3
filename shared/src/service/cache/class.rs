//! How right a kind must be, as a type: what a class does not allow does not compile.

use std::convert::Infallible;
use std::time::Duration;

use super::entry::Entry;

/// The longest that security data lives in a cache that another writer could outrun.
pub const SECURITY_BOUND: Duration = Duration::from_mins(1);

/// How long display data may be answered beyond its time: while one reader refreshes it, or the database is away.
pub const STALE: Duration = Duration::from_hours(1);

/// Data that decides what somebody may do. It lives for at most [`SECURITY_BOUND`], is never answered stale, is filled
/// from the database only, and what the web app wrote into the store is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Security {
    ttl: Duration,
}

/// Data that is shown. It may be stale while one reader refreshes it, and the web app may put a value of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Display {
    ttl: Duration,
    former: Former,
}

/// What is done with a plain string that the web app's own code wrote under the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Former {
    /// It is answered for the rest of its time.
    Believed,
    /// It goes: the web app kept whole rows there, with signatures and addresses.
    Replaced,
}

impl Security {
    /// Lives for `ttl`.
    ///
    /// # Panics
    /// A constant beyond the bound does not compile.
    pub(super) const fn new(ttl: Duration) -> Self {
        assert!(ttl.as_millis() <= SECURITY_BOUND.as_millis());
        Self { ttl }
    }
}

impl Display {
    /// Fresh for `ttl`.
    pub(super) const fn new(ttl: Duration, former: Former) -> Self {
        Self { ttl, former }
    }

    /// For how long a value is fresh.
    pub(super) fn ttl(self) -> Duration {
        self.ttl
    }
}

/// The lives of a filled entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lives {
    /// For how long it is fresh, where it outlives that; else for as long as it lives.
    pub(super) fresh: Option<Duration>,
    /// For how long it is kept.
    pub(super) kept: Duration,
}

/// A class of correctness.
pub trait Class: sealed::Sealed + Copy + std::fmt::Debug + Send + Sync + 'static {
    /// An entry that may be answered although it is no longer fresh. Of security data there is none.
    type Stale: Into<Entry> + Send;

    /// The entry, if this class lets it be answered stale.
    fn stale(entry: Entry) -> Option<Self::Stale>;

    /// How long an entry of this class lives.
    fn lives(self) -> Lives;

    /// For how long a plain string that the web app wrote is believed; zero where it is not.
    fn believed(self) -> Duration;
}

impl Class for Security {
    type Stale = Never;

    fn stale(_: Entry) -> Option<Never> {
        None
    }

    fn lives(self) -> Lives {
        Lives {
            fresh: None,
            kept: self.ttl,
        }
    }

    fn believed(self) -> Duration {
        Duration::ZERO
    }
}

impl Class for Display {
    type Stale = Entry;

    fn stale(entry: Entry) -> Option<Entry> {
        Some(entry)
    }

    fn lives(self) -> Lives {
        Lives {
            fresh: Some(self.ttl),
            kept: self.ttl + STALE,
        }
    }

    fn believed(self) -> Duration {
        match self.former {
            Former::Believed => self.ttl,
            Former::Replaced => Duration::ZERO,
        }
    }
}

/// What cannot be.
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
