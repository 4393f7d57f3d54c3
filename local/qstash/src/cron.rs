//! Cron expressions: five fields, optionally after `CRON_TZ=Area/City`, UTC otherwise.
//!
//! Source: <https://upstash.com/docs/qstash/features/schedules>. `croner` does the calendar search; this file adds a
//! zoned time.

use std::cmp::Ordering;

use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use croner::time::{CivilDateTime, CronDateTime, Resolution, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ZonedDateTime, civil};
use serde::{Deserialize, Serialize};

const ZONE_PREFIX: &str = "CRON_TZ=";

/// Why a text is not a cron expression.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Not five fields, or a field out of range.
    #[error("invalid cron expression: {0}")]
    Pattern(String),
    /// No such time zone.
    #[error("unknown time zone `{0}` in the cron expression")]
    Zone(String),
}

/// A checked cron expression.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct CronExpression {
    text: String,
    cron: Cron,
    zone: TimeZone,
}

impl CronExpression {
    /// Parses an expression, ignoring surrounding white space.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let (zone, pattern) = match text
            .strip_prefix(ZONE_PREFIX)
            .map(|rest| rest.split_once(' ').unwrap_or((rest, "")))
        {
            Some((zone, pattern)) => (
                TimeZone::get(zone).map_err(|_| Error::Zone(zone.to_owned()))?,
                pattern,
            ),
            None => (TimeZone::UTC, text),
        };
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron = parser
            .parse(pattern.trim())
            .map_err(|error| Error::Pattern(error.to_string()))?;
        Ok(Self {
            text: text.to_owned(),
            cron,
            zone,
        })
    }

    /// Returns the first time after `after_ms`, in milliseconds since the epoch; none if there is no such day (30
    /// February).
    pub(crate) fn next(&self, after_ms: u64) -> Option<u64> {
        let after = Timestamp::from_millisecond(i64::try_from(after_ms).ok()?).ok()?;
        let next = self
            .cron
            .find_next_occurrence(&Instant(after.to_zoned_datetime(self.zone.clone())), false)
            .ok()?;
        u64::try_from(next.0.timestamp().as_millisecond()).ok()
    }

    /// Returns the expression as written, trimmed.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl TryFrom<String> for CronExpression {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<CronExpression> for String {
    fn from(expression: CronExpression) -> Self {
        expression.text
    }
}

/// A zoned time that `croner` can search over.
#[derive(Clone)]
struct Instant(ZonedDateTime);

impl CronDateTime for Instant {
    fn to_civil(&self) -> CivilDateTime {
        let at = self.0.datetime();
        let part = |part: i8| u32::from(part.unsigned_abs());
        let (year, month, day) = (i32::from(at.year()), part(at.month()), part(at.day()));
        CivilDateTime::from_ymd_hms_opt(
            year,
            month,
            day,
            part(at.hour()),
            part(at.minute()),
            part(at.second()),
        )
        .unwrap_or_else(epoch)
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(u32::from(
            self.0.weekday().to_sunday_zero_offset().unsigned_abs(),
        ))
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let at = to_jiff(civil).ok_or(CronError::InvalidDate)?;
        let ambiguous = self.0.time_zone().to_ambiguous_zoned_datetime(at);
        let invalid = |_| CronError::InvalidTime;
        Ok(match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => {
                Resolution::Single(Self(ambiguous.compatible().map_err(invalid)?))
            }
            AmbiguousOffset::Fold { .. } => Resolution::Ambiguous(
                Self(ambiguous.clone().earlier().map_err(invalid)?),
                Self(ambiguous.later().map_err(invalid)?),
            ),
            AmbiguousOffset::Gap { .. } => Resolution::Gap,
        })
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0
            .checked_add(SignedDuration::from_secs(seconds))
            .ok()
            .map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.timestamp().cmp(&other.0.timestamp())
    }
}

/// Returns the epoch. Every valid date and time has a civil form; this value covers the case that the types cannot
/// exclude.
fn epoch() -> CivilDateTime {
    use croner::time::{CivilDate, CivilTime};
    CivilDateTime::new(
        CivilDate::from_parts_unchecked(1970, 1, 1),
        CivilTime::MIDNIGHT,
    )
}

fn to_jiff(civil: CivilDateTime) -> Option<civil::DateTime> {
    let part = |part: u32| i8::try_from(part).ok();
    let year = i16::try_from(civil.year()).ok()?;
    let (month, day) = (part(civil.month())?, part(civil.day())?);
    civil::DateTime::new(
        year,
        month,
        day,
        part(civil.hour())?,
        part(civil.minute())?,
        part(civil.second())?,
        0,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, after: &str) -> String {
        let after: Timestamp = after.parse().expect("an instant");
        let after_ms = u64::try_from(after.as_millisecond()).expect("after 1970");
        let next = CronExpression::parse(expression)
            .expect(expression)
            .next(after_ms)
            .expect("a next time");
        Timestamp::from_millisecond(i64::try_from(next).expect("fits"))
            .expect("in range")
            .to_string()
    }

    #[test]
    fn times_without_a_zone_are_utc() {
        assert_eq!(
            next("*/10 * * * * ", "2026-11-23T10:03:07Z"),
            "2026-11-23T10:10:00Z"
        );
        assert_eq!(
            next("1 1 1 1 1", "2026-11-23T10:03:07Z"),
            "2027-01-01T01:01:00Z"
        );
    }

    #[test]
    fn zone_follows_its_daylight_saving_time() {
        assert_eq!(
            next("CRON_TZ=Europe/Istanbul 0 4 * * *", "2026-11-23T02:00:00Z"),
            "2026-11-24T01:00:00Z"
        );
        assert_eq!(
            next("CRON_TZ=America/New_York 0 4 * * *", "2026-01-05T00:00:00Z"),
            "2026-01-05T09:00:00Z"
        );
        assert_eq!(
            next("CRON_TZ=America/New_York 0 4 * * *", "2026-07-05T00:00:00Z"),
            "2026-07-05T08:00:00Z"
        );
    }

    #[test]
    fn next_time_is_strictly_later() {
        assert_eq!(
            next("* * * * *", "2026-11-23T10:03:00Z"),
            "2026-11-23T10:04:00Z"
        );
    }

    #[test]
    fn malformed_cron_expression_is_refused() {
        for text in [
            "",
            "* * * *",
            "61 * * * *",
            "* * * * * *",
            "CRON_TZ=Nowhere/City * * * * *",
            "CRON_TZ=UTC",
        ] {
            assert!(CronExpression::parse(text).is_err(), "{text}");
        }
    }
}
