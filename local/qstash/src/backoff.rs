//! The delay of a message before its next attempt.

use std::time::Duration;

use http::HeaderMap;

use crate::options::Options;
use crate::retry_after;

/// The longest delay of the default schedule.
const MAX_SECONDS: f64 = 86_400.0;

/// Returns the delay before retry number `retried + 1`. The receiver's delay has priority over the message's
/// expression. That has priority over the default schedule of 12 s, 2 min 28 s, 30 min, 6 h, 24 h.
pub(crate) fn delay(
    options: &Options,
    retried: u32,
    response: Option<&HeaderMap>,
    wall_ms: u64,
) -> Duration {
    if let Some(asked) = response.and_then(|headers| retry_after::delay(headers, wall_ms)) {
        return asked;
    }
    match &options.retry_delay {
        Some(expression) => expression.delay(retried),
        None => default(retried.saturating_add(1)),
    }
}

/// `min(86400, e^(2.5 n))` seconds for the nth retry.
fn default(nth: u32) -> Duration {
    Duration::from_secs_f64((2.5 * f64::from(nth)).exp().floor().min(MAX_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_schedule_is_the_documented_one() {
        let seconds: Vec<u64> = (1..=6).map(|nth| default(nth).as_secs()).collect();
        assert_eq!(seconds, [12, 148, 1_808, 22_026, 86_400, 86_400]);
        assert_eq!(default(u32::MAX).as_secs(), 86_400);
    }
}
