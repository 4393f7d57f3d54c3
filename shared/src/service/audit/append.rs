//! Appending an event to its chain.

use serde::Deserialize;

use super::Error;
use super::event::Event;
use crate::protocol::postgres::{self, Json, Postgres, Type, column};

const APPEND: &str = "SELECT public.signtusk_append_audit_event($1) AS appended";

/// The class of SQLSTATE for invalid data.
const BAD_DATA: &str = "22";

/// An appended event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Appended {
    /// The id of the event.
    pub event_id: String,
    /// Its chain, such as `request:{requestId}`.
    pub chain: String,
    /// Its position in the chain, from 1.
    pub sequence: i64,
    /// SHA-256 of its canonical text, in hex.
    pub hash: String,
    /// Whether it was appended before.
    pub repeated: bool,
}

pub(super) async fn append(
    postgres: &Postgres,
    event_id: &str,
    event: &Event,
) -> Result<Appended, Error> {
    let mut event = serde_json::to_value(event).map_err(|_| Error::Unreadable)?;
    event["eventId"] = event_id.into();
    let rows = postgres
        .query_repeatable(APPEND, &[(&Json(event), Type::JSONB)])
        .await
        .map_err(refused)?;
    let row = rows.first().ok_or(Error::Unreadable)?;
    let Json(appended) = column(row, "appended")?;
    Ok(appended)
}

/// Distinguishes a rejected event from an unavailable database.
fn refused(error: postgres::Error) -> Error {
    match error {
        postgres::Error::Rejected { code, message } if code.starts_with(BAD_DATA) => {
            Error::Refused(message)
        }
        error => Error::Postgres(error),
    }
}
