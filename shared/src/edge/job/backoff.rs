//! The wait of a deferred job: it grows with each deferral in a row, and never exceeds the bound for external values.

use std::time::Duration;

use crate::protocol::http::MAX_WAIT;

/// The bound to which a wait grows; a longer requested wait is kept. For shorter ones it is also the longest delay
/// after the cause of the deferrals has ended.
const MAX_BACKOFF: Duration = Duration::from_hours(1);

/// The base of a growing wait when the requested one is zero.
const MIN_WAIT: Duration = Duration::from_secs(1);

/// Returns the wait of a job that was deferred `before` times in a row: the first is as requested, each further one is
/// twice as long.
pub(super) fn wait(requested: Duration, before: u32) -> Duration {
    let requested = bounded(requested);
    if before == 0 {
        return requested;
    }
    let grown = requested
        .max(MIN_WAIT)
        .saturating_mul(2_u32.saturating_pow(before));
    grown.min(MAX_BACKOFF).max(requested)
}

/// Returns the requested wait, one day at most.
pub(super) fn bounded(requested: Duration) -> Duration {
    requested.min(MAX_WAIT)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::wait;

    #[test]
    fn deferral_wait_doubles_each_time_up_to_an_hour() {
        let minutes = |before| wait(Duration::from_mins(5), before).as_secs() / 60;
        let waits: Vec<u64> = (0..7).map(minutes).collect();
        assert_eq!(waits, [5, 10, 20, 40, 60, 60, 60]);
        assert_eq!(minutes(u32::MAX), 60);
        let first_day = (0..)
            .scan(0, |at, before| {
                *at += minutes(before);
                Some(*at)
            })
            .take_while(|at| *at < 24 * 60);
        assert_eq!(first_day.count(), 26, "messages of a job paused for a day");
    }

    #[test]
    fn requested_wait_is_capped_at_a_day() {
        for (requested, before, expected) in [
            (Duration::ZERO, 0, Duration::ZERO),
            (Duration::ZERO, 1, Duration::from_secs(2)),
            (Duration::from_hours(6), 3, Duration::from_hours(6)),
            (Duration::MAX, 0, Duration::from_hours(24)),
            (Duration::MAX, 9, Duration::from_hours(24)),
        ] {
            assert_eq!(wait(requested, before), expected, "{requested:?} {before}");
        }
    }
}
