//! By when a document should be signed: a day, or an instant.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A due date as the web app writes it: `2026-12-01`, or an RFC 3339 instant. A time without an offset is UTC.
/// `Display` writes it for people, in English and in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DueDate(When);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// The end of a day, wherever the reader is.
    Day(Date),
    Instant(Timestamp),
}

/// The text is neither a day nor an instant. It is not quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a date such as 2026-12-01 or an instant such as 2026-12-01T17:00:00Z")]
pub struct InvalidDueDate;

impl DueDate {
    /// Reads a due date.
    pub fn parse(text: &str) -> Result<Self, InvalidDueDate> {
        let text = text.trim();
        if text.len() == "2026-12-01".len() {
            let day = text.parse().map_err(|_| InvalidDueDate)?;
            return Ok(Self(When::Day(day)));
        }
        let instant = text
            .parse::<Timestamp>()
            .or_else(|_| TimeZone::UTC.to_timestamp(text.parse::<DateTime>()?))
            .map_err(|_| InvalidDueDate)?;
        Ok(Self(When::Instant(instant)))
    }
}

impl fmt::Display for DueDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            When::Day(day) => write!(f, "{}", day.strftime("%-d %B %Y")),
            When::Instant(instant) => write!(f, "{}", instant.strftime("%-d %B %Y, %H:%M UTC")),
        }
    }
}

impl TryFrom<String> for DueDate {
    type Error = InvalidDueDate;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<DueDate> for String {
    fn from(due: DueDate) -> Self {
        match due.0 {
            When::Day(day) => day.to_string(),
            When::Instant(instant) => instant.to_string(),
        }
    }
}

/// A text in one of two forms, which the derivation knows no words for.
impl PartialSchema for DueDate {
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
                "A day, or an instant; an instant without an offset is taken for UTC.",
            ))
            .examples(["2026-12-01", "2026-12-01T17:00:00Z"])
            .into()
    }
}

impl ToSchema for DueDate {}

#[cfg(test)]
mod tests {
    use super::DueDate;

    #[test]
    fn days_and_instants_are_read_and_written_for_people() {
        for (text, shown) in [
            ("2026-12-01", "1 December 2026"),
            ("2026-12-01T17:00:00Z", "1 December 2026, 17:00 UTC"),
            (
                "2026-12-01T17:00:00.000+02:00",
                "1 December 2026, 15:00 UTC",
            ),
            ("2026-12-01T17:00:00", "1 December 2026, 17:00 UTC"),
        ] {
            assert_eq!(DueDate::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in [
            "",
            "soon",
            "2026-02-30",
            "01.12.2026",
            "2026-12-01T25:00:00Z",
            "1764547200",
        ] {
            assert!(DueDate::parse(text).is_err(), "{text}");
        }
    }
}
