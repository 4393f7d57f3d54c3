//! Appending an event to its chain.

use serde::Deserialize;

use super::event::Event;
use super::{Audit, Error};
use crate::protocol::postgres::{self, Json, Type, column};

const APPEND: &str = "SELECT public.signtusk_append_audit_event($1) AS appended";

/// The class of SQLSTATE for data that will never be taken.
const BAD_DATA: &str = "22";

/// An event in its chain.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Appended {
    /// The event.
    pub event_id: String,
    /// Its chain, such as `request:{requestId}`.
    pub chain: String,
    /// Its place there, from 1.
    pub sequence: i64,
    /// SHA-256 of its canonical text, in hex.
    pub hash: String,
    /// Whether it had been appended before.
    pub repeated: bool,
}

impl Audit {
    /// Appends `event` under `event_id`. The same id again changes nothing and gives the first answer, so that the call
    /// may be repeated.
    pub async fn append(&self, event_id: &str, event: &Event) -> Result<Appended, Error> {
        let mut event = serde_json::to_value(event).map_err(|_| Error::Unreadable)?;
        event["eventId"] = event_id.into();
        let rows = self
            .0
            .query_repeatable(APPEND, &[(&Json(event), Type::JSONB)])
            .await
            .map_err(refused)?;
        let row = rows.first().ok_or(Error::Unreadable)?;
        let Json(appended) = column(row, "appended")?;
        Ok(appended)
    }
}

/// Tells an event that is refused from a database that is away.
fn refused(error: postgres::Error) -> Error {
    match error {
        postgres::Error::Rejected { code, message } if code.starts_with(BAD_DATA) => {
            Error::Refused(message)
        }
        error => Error::Postgres(error),
    }
}
