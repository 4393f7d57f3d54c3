//! Durations in headers: Go's notation with days, `50s`, `1d10h30m`, `1.5h`.
//!
//! Source: <https://upstash.com/docs/qstash/features/delay> and Go's `time.ParseDuration`.

use std::time::Duration;

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// There is nothing between the commas.
    #[error("a duration is missing")]
    Empty,
    /// A number or a unit is missing, or the unit is unknown.
    #[error("`{0}` is not a duration such as 50s or 1d10h30m")]
    Malformed(String),
    /// The duration exceeds the range.
    #[error("`{0}` is too long a duration")]
    TooLong(String),
}

/// Parses `1d10h30m`; every number needs a unit.
pub(crate) fn parse(text: &str) -> Result<Duration, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::Empty);
    }
    let malformed = || Error::Malformed(text.to_owned());
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let unit_at = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(malformed)?;
        let (number, tail) = rest.split_at(unit_at);
        let unit_end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let seconds = unit_seconds(unit).ok_or_else(malformed)?;
        let number: f64 = number.parse().map_err(|_| malformed())?;
        let part = Duration::try_from_secs_f64(number * seconds)
            .map_err(|_| Error::TooLong(text.to_owned()))?;
        total = total
            .checked_add(part)
            .ok_or_else(|| Error::TooLong(text.to_owned()))?;
        rest = tail;
    }
    Ok(total)
}

/// Parses a duration, or a bare number as seconds.
pub(crate) fn parse_or_seconds(text: &str) -> Result<Duration, Error> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        let seconds: f64 = text
            .parse()
            .map_err(|_| Error::Malformed(text.to_owned()))?;
        return Duration::try_from_secs_f64(seconds).map_err(|_| Error::TooLong(text.to_owned()));
    }
    parse(text)
}

fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn duration_parts_are_added() {
        assert_eq!(parse("1d10h30m"), Ok(Duration::from_mins(34 * 60 + 30)));
        assert_eq!(parse("6m5s"), Ok(Duration::from_secs(365)));
        assert_eq!(parse(" 1.5h "), Ok(Duration::from_mins(90)));
        assert_eq!(parse("120ms"), Ok(Duration::from_millis(120)));
    }

    #[test]
    fn bare_number_is_seconds_only_where_allowed() {
        assert_eq!(parse_or_seconds("30"), Ok(Duration::from_secs(30)));
        assert!(parse("30").is_err());
    }

    #[test]
    fn malformed_duration_is_refused() {
        for text in [
            "",
            "s",
            "5x",
            "-5s",
            "1.2.3s",
            "5 s",
            "1e400s",
            "٣s",
            "99999999999999999999999d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_duration_text_does_not_panic(text in ".{0,40}") {
            let _ = parse(&text);
            let _ = parse_or_seconds(&text);
        }

        #[test]
        fn whole_units_round_trip(d in 0u64..400, h in 0u64..24, m in 0u64..60, s in 0u64..60) {
            let parsed = parse(&format!("{d}d{h}h{m}m{s}s"));
            prop_assert_eq!(parsed, Ok(Duration::from_secs(((d * 24 + h) * 60 + m) * 60 + s)));
        }
    }
}
