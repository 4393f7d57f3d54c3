//! The wait of a throttled mail before its next attempt within the same delivery.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

/// The wait if the provider states none: its rates are per second.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);

/// The spread of each wait, as a multiple of the wait. It doubles up to four times.
const SPREADS: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];

/// The waits of one mail. They are spread, because jobs with the same provider are throttled at the same moment.
/// Without the spread they would all retry at once and be throttled again.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    throttles: usize,
}

impl Pace {
    /// Returns the next wait, after a throttle that asks for `retry_after`.
    pub(crate) fn next(&mut self, retry_after: Option<Duration>) -> Duration {
        // A new hasher has random keys, so its hash of no input is random.
        let random = RandomState::new().build_hasher().finish();
        let fraction =
            f64::from(u32::try_from(random >> 32).unwrap_or_default()) / f64::from(u32::MAX);
        let wait = self.spread(retry_after.unwrap_or(DEFAULT_WAIT), fraction);
        self.throttles += 1;
        wait
    }

    fn spread(&self, wait: Duration, fraction: f64) -> Duration {
        let last = SPREADS.len() - 1;
        wait + wait.mul_f64(SPREADS[self.throttles.min(last)] * fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_never_shorter_than_requested_and_spread_further_each_time() {
        let mut pace = Pace::default();
        for most in [1_250, 1_500, 2_000, 3_000, 5_000, 5_000] {
            assert_eq!(pace.spread(DEFAULT_WAIT, 0.0), DEFAULT_WAIT);
            assert_eq!(pace.spread(DEFAULT_WAIT, 1.0), Duration::from_millis(most));
            let wait = pace.next(None);
            assert!(
                wait >= DEFAULT_WAIT && wait <= Duration::from_millis(most),
                "{wait:?}"
            );
        }
        let asked = Duration::from_secs(7);
        assert!(Pace::default().next(Some(asked)) >= asked);
    }
}
