//! A rate: a count per time window, such as `20/1h`.

use std::str::FromStr;
use std::time::Duration;

/// A number of events in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The count.
    pub count: u64,
    /// The length of the window.
    pub window: Duration,
}

/// The text is not a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a number and a window, such as 20/1h (units: s, m, h, d)")]
pub struct InvalidRate;

impl Rate {
    /// Returns the number of the window that contains a millisecond.
    #[must_use]
    pub fn index(&self, millisecond: i64) -> i64 {
        let window = i64::try_from(self.window.as_millis()).unwrap_or(i64::MAX);
        millisecond.div_euclid(window.max(1))
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let (count, window) = text.trim().split_once('/').ok_or(InvalidRate)?;
        let unit = window.chars().last().ok_or(InvalidRate)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            _ => return Err(InvalidRate),
        };
        let number = window.strip_suffix(unit).ok_or(InvalidRate)?;
        let number: u64 = number.parse().map_err(|_| InvalidRate)?;
        let count = count.parse().map_err(|_| InvalidRate)?;
        let seconds = number.checked_mul(seconds).ok_or(InvalidRate)?;
        // No counter is kept for longer than a year.
        if count == 0 || !(1..=366 * 24 * 60 * 60).contains(&seconds) {
            return Err(InvalidRate);
        }
        Ok(Self {
            count,
            window: Duration::from_secs(seconds),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;

    #[test]
    fn rate_is_parsed_from_count_and_window() {
        let rate: Rate = "20/1h".parse().unwrap();
        assert_eq!((rate.count, rate.window.as_secs()), (20, 3600));
        let rate: Rate = " 50000/1d".parse().unwrap();
        assert_eq!((rate.count, rate.window.as_secs()), (50_000, 86_400));
    }

    #[test]
    fn invalid_rate_is_refused() {
        for text in [
            "",
            "20",
            "20/h",
            "0/1h",
            "20/0s",
            "-1/1h",
            "20/1w",
            "20/9999999999999999999d",
            "20/1é",
        ] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
