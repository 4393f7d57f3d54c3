//! Duplicates and reordering out of nothing, as a service that delivers at least once may bring them at any time.
//!
//! A duplicate is one of two kinds: the answer of a delivery is lost, so the message is delivered again a moment later;
//! or two nodes deliver it at the same time. Reordering holds a message back for a moment, so that later ones pass it;
//! members of a queue keep their order, which is what a queue is for. Source:
//! <https://upstash.com/docs/qstash/features/at-least-once>.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The longest a message is held back, or its duplicate is late, in real time.
const MAX_SHIFT: Duration = Duration::from_millis(500);

/// How often deliveries are doubled and shifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disorder {
    /// Where the draw starts: the same seed draws the same numbers.
    pub seed: u64,
    /// Of a hundred deliveries, how many are doubled.
    pub duplicates: u8,
    /// Of a hundred messages, how many are held back.
    pub reordered: u8,
}

impl Disorder {
    /// Much more than a real service does, and less than would hold a suite up.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            duplicates: 15,
            reordered: 30,
        }
    }
}

/// What becomes of a delivery besides itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duplicate {
    /// Its answer is lost, and it is delivered again after this real time.
    Later(Duration),
    /// It is delivered twice at the same time.
    Beside,
}

/// Draws what happens next.
pub(crate) struct Draw {
    disorder: Option<Disorder>,
    state: AtomicU64,
}

impl Draw {
    /// Draws by `disorder`; without one nothing ever happens.
    pub(crate) fn new(disorder: Option<Disorder>) -> Self {
        Self {
            state: AtomicU64::new(disorder.map_or(0, |disorder| disorder.seed)),
            disorder,
        }
    }

    /// How a delivery is doubled, if it is.
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

    /// How long a message is held back, if it is.
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

    /// `SplitMix64`: a few instructions, and good enough to draw by.
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
