//! The headers with which a receiver delays the next attempt.
//!
//! `Retry-After` and the `X-RateLimit-Reset` family: seconds, an HTTP date, or Go's notation. More than a day is
//! ignored. Source: <https://upstash.com/docs/qstash/features/retry>.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;

use crate::duration;

const NAMES: [&str; 4] = [
    "retry-after",
    "x-ratelimit-reset",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
];
const MAX_DELAY: Duration = Duration::from_hours(24);

/// Returns the delay that the receiver asks for, if it is valid. `wall_ms` is the real time that dates are relative to.
pub(crate) fn delay(headers: &HeaderMap, wall_ms: u64) -> Option<Duration> {
    NAMES
        .iter()
        .filter_map(|name| headers.get(*name)?.to_str().ok())
        .find_map(|value| parse(value, wall_ms))
        .filter(|delay| *delay <= MAX_DELAY)
}

fn parse(value: &str, wall_ms: u64) -> Option<Duration> {
    if let Ok(delay) = duration::parse_or_seconds(value) {
        return Some(delay);
    }
    let at = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp();
    let now = Timestamp::from_millisecond(i64::try_from(wall_ms).ok()?).ok()?;
    Some(Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn with(name: &'static str, value: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        delay(&headers, 784_111_777_000)
    }

    #[test]
    fn seconds_dates_and_durations_are_parsed() {
        assert_eq!(with("retry-after", "120"), Some(Duration::from_mins(2)));
        assert_eq!(
            with("x-ratelimit-reset-tokens", "6m5s"),
            Some(Duration::from_secs(365))
        );
        assert_eq!(
            with("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"),
            Some(Duration::from_mins(1))
        );
    }

    #[test]
    fn past_date_means_at_once() {
        assert_eq!(
            with("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"),
            Some(Duration::ZERO)
        );
    }

    #[test]
    fn wait_over_a_day_or_malformed_is_ignored() {
        assert_eq!(with("retry-after", "86401"), None);
        assert_eq!(with("x-ratelimit-reset", "soon"), None);
    }
}
