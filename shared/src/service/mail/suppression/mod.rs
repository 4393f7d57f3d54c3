//! The suppression list: addresses that get no mail.
//!
//! An address may be listed for several reasons, each with its own source: a provider's event, the recipient's choice,
//! or an administrator. Removing one keeps the others, so a repaired bounce does not undo an unsubscription. The ledger
//! checks the list in the statement that begins a mail.

mod reason;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::reason::{Reason, UnknownReason};
use crate::protocol::mail::EmailAddress;
use crate::protocol::postgres::{self, Json, Parameter, Postgres, Row, Type, column};
use crate::service::page::{self, Cursor, Page};

/// One page, newest first.
const LIST: &str = include_str!("list.sql");

/// Adds an address to the list. Repeating it only changes the note.
const PUT: &str = "INSERT INTO signtusk.email_suppressions AS listed (address, reason, note, created_by) \
    VALUES (lower($1), $2, $3, $4) \
    ON CONFLICT (address, reason) DO UPDATE SET note = excluded.note \
    RETURNING json_build_object('email', address, 'reason', reason, 'note', note, \
      'createdAt', created_at, 'createdBy', created_by) AS item";

/// Removes an address from the list, for one reason or for all.
const REMOVE: &str = "DELETE FROM signtusk.email_suppressions \
    WHERE address = lower($1) AND ($2 IS NULL OR reason = $2)";

/// Why the list could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The statement failed; the cause says whether a retry is useful.
    #[error("the suppression list is unavailable")]
    Postgres(#[from] postgres::Error),
    /// The database returned an unexpected value.
    #[error("the suppression list has a value that this version does not know")]
    Unreadable,
}

/// A suppressed address and the reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suppression {
    /// The address, in lower case.
    pub email: EmailAddress,
    /// The reason of the suppression.
    pub reason: Reason,
    /// A note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When the suppression was added.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The acting user who added the suppression by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

/// The filter of a page.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only this address.
    pub email: Option<EmailAddress>,
    /// Only this reason.
    pub reason: Option<Reason>,
    /// The largest number of items, 1 to 100.
    pub limit: u32,
    /// The cursor of the previous page.
    pub cursor: Option<Cursor>,
}

/// A suppression that is added by hand.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The address.
    pub email: &'a EmailAddress,
    /// The reason.
    pub reason: Reason,
    /// A note, without NUL characters.
    pub note: Option<&'a str>,
    /// The acting user who adds it.
    pub created_by: Option<&'a str>,
}

/// The list in the database.
#[derive(Clone, Debug)]
pub struct Suppressions(Postgres);

impl Suppressions {
    /// Returns the list of a migrated database.
    #[must_use]
    pub fn new(postgres: Postgres) -> Self {
        Self(postgres)
    }

    /// Returns a page of the list, newest first.
    pub async fn list(&self, filter: &Filter) -> Result<Page<Suppression>, Error> {
        let email = filter.email.as_ref().map(EmailAddress::as_str);
        let reason = filter.reason.map(Reason::name);
        let micros = filter.cursor.as_ref().map(Cursor::micros);
        let key = filter.cursor.as_ref().map(Cursor::key);
        let limit = page::rows(filter.limit);
        let parameters: [Parameter<'_>; 5] = [
            (&email, Type::TEXT),
            (&reason, Type::TEXT),
            (&micros, Type::INT8),
            (&key, Type::TEXT),
            (&limit, Type::INT8),
        ];
        let rows = self.0.query_repeatable(LIST, &parameters).await?;
        let items = rows.iter().map(item).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(items, filter.limit, |item| {
            let key = format!("{} {}", item.email.as_str(), item.reason);
            Cursor::new(item.created_at, &key)
        }))
    }

    /// Adds an address to the list. An existing entry stays, with the new note.
    pub async fn put(&self, entry: &Entry<'_>) -> Result<Suppression, Error> {
        let (email, reason) = (entry.email.as_str(), entry.reason.name());
        let parameters: [Parameter<'_>; 4] = [
            (&email, Type::TEXT),
            (&reason, Type::TEXT),
            (&entry.note, Type::TEXT),
            (&entry.created_by, Type::TEXT),
        ];
        let rows = self.0.query_repeatable(PUT, &parameters).await?;
        let row = rows.first().ok_or(Error::Unreadable)?;
        Ok(item(row)?)
    }

    /// Removes an address from the list, for one reason or for all. Succeeds if it is not listed.
    pub async fn remove(&self, email: &EmailAddress, reason: Option<Reason>) -> Result<(), Error> {
        let (email, reason) = (email.as_str(), reason.map(Reason::name));
        let parameters: [Parameter<'_>; 2] = [(&email, Type::TEXT), (&reason, Type::TEXT)];
        self.0.query_repeatable(REMOVE, &parameters).await?;
        Ok(())
    }
}

fn item(row: &Row) -> Result<Suppression, postgres::Error> {
    column::<Json<Suppression>>(row, "item").map(|Json(item)| item)
}
