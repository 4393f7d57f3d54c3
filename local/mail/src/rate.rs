//! The rate limit of a provider per second.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The window of the limits.
const WINDOW: Duration = Duration::from_secs(1);

/// A limit over any second, bursts included: the strictest reading of a limit per second.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    per_second: Option<usize>,
    taken: Mutex<VecDeque<Instant>>,
}

/// The limits of both providers.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    pub(crate) ses: Rate,
    pub(crate) resend: Rate,
}

impl Rate {
    /// Creates a limit; without a number it allows everything.
    pub(crate) fn new(per_second: Option<u32>) -> Self {
        Self {
            per_second: per_second.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
            taken: Mutex::default(),
        }
    }

    /// Returns the limit, if there is one.
    pub(crate) fn per_second(&self) -> Option<usize> {
        self.per_second
    }

    /// Takes `count` at once, or takes nothing and returns false. Rejected requests do not count.
    pub(crate) fn take(&self, count: usize) -> bool {
        self.take_at(Instant::now(), count)
    }

    fn take_at(&self, now: Instant, count: usize) -> bool {
        let Some(limit) = self.per_second else {
            return true;
        };
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while taken
            .front()
            .is_some_and(|at| now.duration_since(*at) >= WINDOW)
        {
            taken.pop_front();
        }
        // A request that alone exceeds the limit could never pass: it takes a whole second.
        let count = count.min(limit);
        let fits = taken.len() + count <= limit;
        if fits {
            taken.extend(std::iter::repeat_n(now, count));
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_holds_in_every_window_of_a_second() {
        let rate = Rate::new(Some(3));
        let start = Instant::now();
        let at = |millis: u64, count| rate.take_at(start + Duration::from_millis(millis), count);
        assert!(at(0, 1) && at(900, 2), "three fit into one second");
        assert!(!at(950, 1), "a fourth does not");
        assert!(at(1_000, 1), "the first is a second ago");
        assert!(!at(1_500, 2), "all or none");
        assert!(
            at(2_000, 9),
            "more than a second takes has the second for itself"
        );
        assert!(!at(2_500, 1));
        assert!(Rate::new(None).take(1_000_000));
    }
}
