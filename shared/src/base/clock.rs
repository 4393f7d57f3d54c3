//! Time as something that is handed in, so that a test can hold or move it.
//!
//! Leases, expiries and limits are decided by the store's own clock; this one dates what a function itself signs,
//! checks or prints.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// A source of the present instant. Cheap to clone; clones of a fixed clock move together.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `instant` (to the millisecond) until it is moved.
    #[must_use]
    pub fn fixed(instant: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(
            instant.as_millisecond(),
        ))))
    }

    /// Moves a fixed clock by `seconds`, which may be negative. A system clock stays as it is.
    pub fn advance(&self, seconds: i64) {
        if let Source::Fixed(millis) = &self.0 {
            millis.fetch_add(seconds * 1000, Ordering::Relaxed);
        }
    }

    /// The present instant.
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
