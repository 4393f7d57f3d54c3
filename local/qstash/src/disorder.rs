//! Artificial duplicates and reordering, as an at-least-once service may produce at any time.
//!
//! There are two kinds of duplicates. The response of a delivery is lost, so the message is delivered again a moment
//! later; or two nodes deliver it at the same time. Reordering delays a message, so that later ones overtake it.
//! Members of a queue keep their order. Source: <https://upstash.com/docs/qstash/features/at-least-once>.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The longest delay of a message or its duplicate, in real time.
const MAX_SHIFT: Duration = Duration::from_millis(500);

/// The frequency of duplicates and reordering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disorder {
    /// The seed of the random numbers: the same seed gives the same numbers.
    pub seed: u64,
    /// The percentage of duplicated deliveries.
    pub duplicates: u8,
    /// The percentage of delayed messages.
    pub reordered: u8,
}

impl Disorder {
    /// Returns rates well above a real service's, but low enough for a test suite.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            duplicates: 15,
            reordered: 30,
        }
    }
}

/// The duplicate of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duplicate {
    /// Its response is lost, and it is delivered again after this real time.
    Later(Duration),
    /// It is delivered twice at the same time.
    Beside,
}

/// Draws random duplicates and delays.
pub(crate) struct Draw {
    disorder: Option<Disorder>,
    state: AtomicU64,
}

impl Draw {
    /// Creates the draw; without `disorder` it never changes a delivery.
    pub(crate) fn new(disorder: Option<Disorder>) -> Self {
        Self {
            state: AtomicU64::new(disorder.map_or(0, |disorder| disorder.seed)),
            disorder,
        }
    }

    /// Returns how a delivery is duplicated, if it is.
    pub(crate) fn duplicate(&self) -> Option<Duplicate> {
        let percent = self.disorder?.duplicates;
        self.happens(percent).then(|| {
            if self.next().is_multiple_of(2) {
                Duplicate::Beside
            } else {
                Duplicate::Later(self.shift())
            }
        })
    }

    /// Returns how long a message is delayed, if it is.
    pub(crate) fn holds_back(&self) -> Option<Duration> {
        let percent = self.disorder?.reordered;
        self.happens(percent).then(|| self.shift())
    }

    fn happens(&self, percent: u8) -> bool {
        self.next() % 100 < u64::from(percent)
    }

    fn shift(&self) -> Duration {
        let percent = u32::try_from(self.next() % 101).unwrap_or_default();
        MAX_SHIFT * percent / 100
    }

    /// Returns the next number of `SplitMix64`: fast, and random enough here.
    fn next(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let state = self.state.fetch_add(STEP, Ordering::Relaxed);
        let mut mixed = state.wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draw_without_disorder_does_nothing() {
        let draw = Draw::new(None);
        assert!((0..1_000).all(|_| draw.duplicate().is_none() && draw.holds_back().is_none()));
    }

    #[test]
    fn draw_matches_its_rate_and_repeats_for_its_seed() {
        let drawn = |seed| {
            let draw = Draw::new(Some(Disorder::seeded(seed)));
            (0..1_000)
                .map(|_| draw.duplicate())
                .collect::<Vec<Option<Duplicate>>>()
        };
        let doubled = drawn(7).iter().flatten().count();
        assert!((100..200).contains(&doubled), "{doubled} of 1,000");
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        assert!(drawn(7).contains(&Some(Duplicate::Beside)));
    }
}
