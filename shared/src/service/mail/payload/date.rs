//! Days and instants in mails, such as the deadline to sign or the time of completion.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{self, DateTime};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A date as the web app writes it: `2026-12-01`, or an RFC 3339 instant. A time without an offset is UTC.
/// `Display` writes it for people, in English and in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(When);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// The end of a day, in the reader's own time zone.
    Day(civil::Date),
    Instant(Timestamp),
}

/// The text is neither a day nor an instant. It is not quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a date such as 2026-12-01 or an instant such as 2026-12-01T17:00:00Z")]
pub struct InvalidDate;

impl Date {
    /// Reads a date.
    pub fn parse(text: &str) -> Result<Self, InvalidDate> {
        let text = text.trim();
        if text.len() == "2026-12-01".len() {
            let day: civil::Date = text.parse().map_err(|_| InvalidDate)?;
            return if day.year() < 1 {
                Err(InvalidDate)
            } else {
                Ok(Self(When::Day(day)))
            };
        }
        if let Some(day) = last_day(text) {
            return Ok(Self(When::Day(day)));
        }
        let instant = text
            .parse::<Timestamp>()
            .or_else(|_| TimeZone::UTC.to_timestamp(text.parse::<DateTime>()?))
            .map_err(|_| InvalidDate)?;
        if instant < first_year() {
            return Err(InvalidDate);
        }
        Ok(Self(When::Instant(instant)))
    }
}

/// Returns the last day of the year 9999: programs use it for "never", and its time can overflow.
fn last_day(text: &str) -> Option<civil::Date> {
    let without_offset = || text.strip_suffix(['Z', 'z'])?.parse().ok();
    let instant: DateTime = text.parse().ok().or_else(without_offset)?;
    Some(instant.date()).filter(|day| *day == civil::Date::MAX)
}

/// Returns the beginning of the year 1, the earliest accepted date.
fn first_year() -> Timestamp {
    let date = civil::date(1, 1, 1).to_datetime(civil::Time::midnight());
    TimeZone::UTC.to_timestamp(date).unwrap_or(Timestamp::MIN)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            When::Day(day) => write!(f, "{}", day.strftime("%-d %B %Y")),
            When::Instant(instant) => write!(f, "{}", instant.strftime("%-d %B %Y, %H:%M UTC")),
        }
    }
}

impl TryFrom<String> for Date {
    type Error = InvalidDate;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        match date.0 {
            When::Day(day) => day.to_string(),
            When::Instant(instant) => instant.to_string(),
        }
    }
}

/// A text in one of two forms, which the derive macro cannot express.
impl PartialSchema for Date {
    fn schema() -> RefOr<Schema> {
        let text = |format| {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::KnownFormat(format)))
        };
        AnyOfBuilder::new()
            .item(text(KnownFormat::Date))
            .item(text(KnownFormat::DateTime))
            .description(Some(
                "A date, or an instant. An instant without an offset is in UTC.",
            ))
            .examples(["2026-12-01", "2026-12-01T17:00:00Z"])
            .into()
    }
}

impl ToSchema for Date {}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn dates_and_instants_are_parsed_and_formatted_for_readers() {
        for (text, shown) in [
            ("2026-12-01", "1 December 2026"),
            ("2026-12-01T17:00:00Z", "1 December 2026, 17:00 UTC"),
            (
                "2026-12-01T17:00:00.000+02:00",
                "1 December 2026, 15:00 UTC",
            ),
            ("2026-12-01T17:00:00", "1 December 2026, 17:00 UTC"),
        ] {
            assert_eq!(Date::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn years_from_1_to_9999_are_shown_and_others_are_refused() {
        for (text, shown) in [
            ("1969-12-31", "31 December 1969"),
            ("1899-02-28T23:59:59Z", "28 February 1899, 23:59 UTC"),
            ("0001-01-01", "1 January 0001"),
            ("9999-12-31", "31 December 9999"),
            ("9999-12-30T12:00:00Z", "30 December 9999, 12:00 UTC"),
            ("9999-12-31T23:59:59Z", "31 December 9999"),
            ("9999-12-31T23:59:59.999Z", "31 December 9999"),
        ] {
            let date = Date::parse(text).map(|date| date.to_string());
            assert_eq!(date.as_deref(), Ok(shown), "{text}");
        }
        for text in [
            "+010000-01-01T00:00:00Z",
            "+275760-09-13T00:00:00.000Z",
            "10000-01-01",
            "-000001-01-01T00:00:00Z",
            "-271821-04-20T00:00:00.000Z",
            "0000-01-01",
        ] {
            assert!(Date::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn invalid_date_is_refused() {
        for text in [
            "",
            "soon",
            "2026-02-30",
            "01.12.2026",
            "2026-12-01T25:00:00Z",
            "1764547200",
        ] {
            assert!(Date::parse(text).is_err(), "{text}");
        }
    }
}
