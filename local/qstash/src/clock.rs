//! The server's two times: the wall clock, and broker time that may run faster.
//!
//! Broker time starts at the wall clock and never goes back, even over a restart: the store keeps its lead. Instants
//! are milliseconds since the Unix epoch.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The lowest and highest speed. Speeds outside are limited: beyond, a day passes between two reads of the clock.
const SLOWEST: f64 = 0.001;
const FASTEST: f64 = 1_000_000.0;

/// The server's two times.
pub(crate) struct Clock {
    rate: Mutex<Rate>,
}

struct Rate {
    wall_anchor_ms: u64,
    broker_anchor_ms: u64,
    speed: f64,
}

impl Rate {
    fn broker_ms(&self, wall_ms: u64) -> u64 {
        let passed =
            Duration::from_millis(wall_ms.saturating_sub(self.wall_anchor_ms)).mul_f64(self.speed);
        self.broker_anchor_ms.saturating_add(millis(passed))
    }
}

impl Clock {
    /// Creates a clock whose broker time is at least `not_before_ms`, its value at the store's last write.
    pub(crate) fn new(speed: f64, not_before_ms: u64) -> Self {
        let wall_ms = wall_ms();
        Self {
            rate: Mutex::new(Rate {
                wall_anchor_ms: wall_ms,
                broker_anchor_ms: wall_ms.max(not_before_ms),
                speed: bounded(speed),
            }),
        }
    }

    /// Returns broker time, for all delays.
    pub(crate) fn now_ms(&self) -> u64 {
        self.rate().broker_ms(wall_ms())
    }

    /// Sets the speed of broker time from now on; elapsed time is kept.
    pub(crate) fn set_speed(&self, speed: f64) {
        let mut rate = self.rate();
        let wall_ms = wall_ms();
        rate.broker_anchor_ms = rate.broker_ms(wall_ms);
        rate.wall_anchor_ms = wall_ms;
        rate.speed = bounded(speed);
    }

    /// Returns the milliseconds of broker time in a span of real time.
    pub(crate) fn broker_span_ms(&self, real: Duration) -> u64 {
        millis(real.mul_f64(self.rate().speed))
    }

    /// Returns the real time until broker time is `at_ms`.
    pub(crate) fn until(&self, at_ms: u64) -> Duration {
        let rate = self.rate();
        let left = Duration::from_millis(at_ms.saturating_sub(rate.broker_ms(wall_ms())));
        left.div_f64(rate.speed)
    }

    fn rate(&self) -> std::sync::MutexGuard<'_, Rate> {
        self.rate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the whole milliseconds of a duration.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn bounded(speed: f64) -> f64 {
    if speed.is_nan() {
        1.0
    } else {
        speed.clamp(SLOWEST, FASTEST)
    }
}

/// Returns real time, for signatures and displayed times.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this crate that reads the clock"
)]
pub(crate) fn wall_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broker_time_never_goes_back_when_the_speed_changes() {
        let clock = Clock::new(1_000.0, 0);
        let before = clock.now_ms();
        clock.set_speed(0.5);
        assert!(clock.now_ms() >= before);
    }

    #[test]
    fn broker_time_continues_from_the_last_run() {
        let ahead = wall_ms() + 86_400_000;
        assert!(Clock::new(1.0, ahead).now_ms() >= ahead);
    }

    #[test]
    fn waits_shrink_with_the_speed() {
        let clock = Clock::new(60.0, 0);
        let wait = clock.until(clock.now_ms() + 60_000);
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
    }

    #[test]
    fn speed_that_is_not_a_number_is_real_time() {
        assert!((bounded(f64::NAN) - 1.0).abs() < f64::EPSILON);
        assert!((bounded(-3.0) - SLOWEST).abs() < f64::EPSILON);
    }
}
