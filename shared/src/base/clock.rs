//! Time as a parameter, so that a test can fix or move it.
//!
//! The store's own clock decides leases, expiries and limits. This clock dates the values that a function signs, checks
//! or prints.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// A source of the current instant. Cheap to clone; clones of a fixed clock move together.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// Returns the machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Returns a clock that stays at `instant` (to the millisecond) until it is moved.
    #[must_use]
    pub fn fixed(instant: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(
            instant.as_millisecond(),
        ))))
    }

    /// Moves a fixed clock by `seconds`, which may be negative. A system clock is not changed.
    pub fn advance(&self, seconds: i64) {
        if let Source::Fixed(millis) = &self.0 {
            millis.fetch_add(seconds * 1000, Ordering::Relaxed);
        }
    }

    /// Returns the current instant.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Fixed(millis) => {
                Timestamp::from_millisecond(millis.load(Ordering::Relaxed)).unwrap_or_default()
            }
        }
    }
}
