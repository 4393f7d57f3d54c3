//! Instants in requests.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An instant in the years 0 to 9999, which both RFC 3339 and the database can represent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Timestamp", into = "Timestamp")]
#[schema(value_type = String, format = DateTime)]
pub struct Instant(Timestamp);

/// The time is not in the years 0 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a time in the years 0 to 9999")]
pub struct OutOfYears;

/// 0000-01-01T00:00:00Z, in seconds since 1970.
const FIRST: i64 = -62_167_219_200;

impl TryFrom<Timestamp> for Instant {
    type Error = OutOfYears;

    fn try_from(at: Timestamp) -> Result<Self, OutOfYears> {
        if at.as_second() < FIRST {
            return Err(OutOfYears);
        }
        Ok(Self(at))
    }
}

impl From<Instant> for Timestamp {
    fn from(instant: Instant) -> Self {
        instant.0
    }
}

#[cfg(test)]
mod tests {
    use super::Instant;

    #[test]
    fn instant_outside_the_database_range_is_refused() {
        let read = |text: &str| serde_json::from_value::<Instant>(text.into());
        assert!(read("0000-01-01T00:00:00Z").is_ok());
        assert!(read("9999-12-30T00:00:00Z").is_ok());
        for text in [
            "-000001-12-31T23:59:59Z",
            "-009999-01-02T01:59:59Z",
            "soon",
            "",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
