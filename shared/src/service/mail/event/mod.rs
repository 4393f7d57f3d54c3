//! Mail events of providers, and their effects on the ledger and on the suppression list.
//!
//! Providers send an event more than once and in any order. Each counts once, and the order does not matter: each time
//! is the earliest of its kind, message ids are a set, and the delivery status is derived from the times. An event
//! proves that the provider has the mail, so it settles a row whose attempt ended without a result, and the mail is not
//! sent again. A second message id proves that the mail was sent twice. An hour of events with a single id proves that
//! it was not.

mod mail_event;
mod tracked;

use jiff::Timestamp;

use crate::protocol::mail::EmailAddress;
use crate::protocol::postgres::{self, Json, Parameter, Postgres, Row, Type, column};
use crate::service::mail::payload::Reference;
use crate::service::mail::suppression::Reason;
use crate::service::page;

pub use self::mail_event::{EventKind, MailEvent};
pub use self::tracked::{Delivery, Filter, State, TrackedMail};
pub use crate::service::page::{Cursor, Page};

/// Records an event, and applies it if it is new.
const RECORD: &str = include_str!("record.sql");

/// One page of the ledger, newest first.
const LIST: &str = include_str!("list.sql");

/// The longest detail that is kept, in characters.
const MAX_DETAIL_LEN: usize = 1000;

/// Why the events could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The statement failed; the cause says whether a retry is useful.
    #[error("the mail events are unavailable")]
    Postgres(#[from] postgres::Error),
    /// The database returned no result.
    #[error("Postgres did not return the result of a mail event")]
    Unreadable,
}

/// The result of recording an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It was new, and was applied to the mail's row.
    Applied,
    /// It was already recorded; nothing changed.
    Replayed,
    /// It was new, but its mail is not in the ledger. A bounce or a complaint still suppresses its recipients.
    Unmatched,
}

/// The mail events in the database.
#[derive(Clone, Debug)]
pub struct MailEvents(Postgres);

impl MailEvents {
    /// Returns the events of a migrated database.
    #[must_use]
    pub fn new(postgres: Postgres) -> Self {
        Self(postgres)
    }

    /// Records an event and applies it, in one repeatable statement.
    pub async fn record(&self, event: &MailEvent) -> Result<Recorded, Error> {
        let (provider, kind) = (event.provider.name(), event.kind.name());
        let event_id = plain(&event.event_id);
        let key = event.key.as_deref().filter(|key| is_key(key));
        let message_id = plain(&event.message_id);
        let micros = event.at.max(Timestamp::UNIX_EPOCH).as_microsecond();
        let detail = event.detail.as_deref().map(plain);
        let reason = event.kind.suppresses().map(Reason::name);
        let recipients: Vec<&str> = event.recipients.iter().map(EmailAddress::as_str).collect();
        let parameters: [Parameter<'_>; 9] = [
            (&provider, Type::TEXT),
            (&event_id, Type::TEXT),
            (&key, Type::TEXT),
            (&message_id, Type::TEXT),
            (&kind, Type::TEXT),
            (&micros, Type::INT8),
            (&detail, Type::TEXT),
            (&reason, Type::TEXT),
            (&recipients, Type::TEXT_ARRAY),
        ];
        let rows = self.0.query_repeatable(RECORD, &parameters).await?;
        let row = rows.first().ok_or(Error::Unreadable)?;
        Ok(match (column(row, "is_new")?, column(row, "is_known")?) {
            (false, _) => Recorded::Replayed,
            (true, true) => Recorded::Applied,
            (true, false) => Recorded::Unmatched,
        })
    }

    /// Returns a page of the ledger's mails, newest first, each with its delivery status.
    pub async fn list(&self, filter: &Filter) -> Result<Page<TrackedMail>, Error> {
        let request_id = filter.request_id.as_ref().map(Reference::as_str);
        let email = filter.email.as_ref().map(EmailAddress::as_str);
        let job_id = filter.job_id.as_ref().map(Reference::as_str);
        let micros = filter.cursor.as_ref().map(Cursor::micros);
        let key = filter.cursor.as_ref().map(Cursor::key);
        let limit = page::rows(filter.limit);
        let parameters: [Parameter<'_>; 6] = [
            (&request_id, Type::TEXT),
            (&email, Type::TEXT),
            (&job_id, Type::TEXT),
            (&micros, Type::INT8),
            (&key, Type::TEXT),
            (&limit, Type::INT8),
        ];
        let rows = self.0.query_repeatable(LIST, &parameters).await?;
        let items = rows.iter().map(keyed).collect::<Result<Vec<_>, _>>()?;
        let page = Page::cut(items, filter.limit, |(key, mail)| {
            Cursor::new(mail.created_at, key)
        });
        Ok(Page {
            items: page.items.into_iter().map(|(_, mail)| mail).collect(),
            cursor: page.cursor,
        })
    }
}

fn keyed(row: &Row) -> Result<(String, TrackedMail), postgres::Error> {
    let Json(mail) = column(row, "mail")?;
    Ok((column(row, "key")?, mail))
}

/// Returns whether a tag is a key of the ledger.
fn is_key(tag: &str) -> bool {
    tag.len() == 64
        && tag
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns a provider's message as Postgres can store it: without NUL, and of bounded length.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|character| *character != '\0')
        .take(MAX_DETAIL_LEN)
        .collect()
}
