//! The distribution of repeated measurements of a time.

use std::time::Duration;

/// Durations, sorted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spread(Vec<Duration>);

impl FromIterator<Duration> for Spread {
    fn from_iter<I: IntoIterator<Item = Duration>>(durations: I) -> Self {
        let mut sorted: Vec<Duration> = durations.into_iter().collect();
        sorted.sort_unstable();
        Self(sorted)
    }
}

impl Spread {
    /// Returns the median, in milliseconds.
    pub(crate) fn p50(&self) -> f64 {
        self.at(50)
    }

    /// Returns the 99th percentile, in milliseconds.
    pub(crate) fn p99(&self) -> f64 {
        self.at(99)
    }

    fn at(&self, percent: usize) -> f64 {
        let place = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0
            .get(place)
            .map_or(f64::NAN, |duration| duration.as_secs_f64() * 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Spread};

    #[test]
    fn percentiles_are_taken_from_the_sorted_durations() {
        let spread: Spread = (1..=100).rev().map(Duration::from_millis).collect();
        assert!((spread.p50() - 51.0).abs() < f64::EPSILON);
        assert!((spread.p99() - 100.0).abs() < f64::EPSILON);
        assert!(Spread::default().p50().is_nan());
    }
}
