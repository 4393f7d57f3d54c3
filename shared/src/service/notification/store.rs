//! Writing the notifications of a job, each once, and recording which of them were announced and pushed.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::entry::Entry;
use super::inbox::InboxItem;
use super::subscription::KnownSubscription;
use super::unread::Unread;
use crate::protocol::postgres::{self, Json, Parameter, Postgres, Row, Type, column};

/// Writes the missing notifications; one transaction.
const WRITE: &str = "SELECT place, outcome, announced, notification, unread, version, subscriptions \
    FROM signtusk.notify($1, $2)";

/// Records announced and pushed notifications.
const RECORD_PUSHES: &str = "SELECT signtusk.notified($1, $2, $3, $4::uuid[])";

/// Why notifications could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The statement failed; the cause says whether a retry is useful.
    #[error("the notifications are unavailable")]
    Postgres(#[from] postgres::Error),
    /// The database returned an unexpected value.
    #[error("the notifications have a value that this version does not know")]
    Unreadable,
}

/// The result of writing one notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WriteOutcome {
    /// It is in the user's inbox.
    Created,
    /// The user has disabled this type of notification.
    Unwanted,
    /// There is no recipient.
    #[serde(rename = "nobody")]
    NoRecipient,
    /// The request does not exist, or not yet: nothing was decided.
    Unknown,
}

/// One notification of a job, and its remaining steps.
#[derive(Clone, Debug)]
pub struct NotificationResult {
    /// Its position in the job, from 0.
    pub place: i32,
    /// The result of writing it.
    pub outcome: WriteOutcome,
    /// Whether the real-time event was published.
    pub announced: bool,
    /// The row, if it exists.
    pub item: Option<InboxItem>,
    /// The user's unread count, including this notification.
    pub unread: Unread,
    /// The user's browsers that still need a push message.
    pub subscriptions: Vec<KnownSubscription>,
}

/// A browser that needs no further push message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pushed {
    /// The notification's position in its job.
    pub place: i32,
    /// The browser's subscription.
    pub subscription: Uuid,
}

/// The notifications in the database.
#[derive(Clone, Debug)]
pub struct Notifications(Postgres);

impl Notifications {
    /// Returns the notifications of a migrated database.
    #[must_use]
    pub fn new(postgres: Postgres) -> Self {
        Self(postgres)
    }

    pub(super) fn postgres(&self) -> &Postgres {
        &self.0
    }

    /// Writes a job's notifications from `first` on, all or none; existing ones are not written again.
    pub async fn write(
        &self,
        job_id: &str,
        first: usize,
        entries: &[Entry],
    ) -> Result<Vec<NotificationResult>, Error> {
        let items = entries.iter().enumerate().map(|(offset, entry)| {
            let mut item = json!(entry);
            item["place"] = json!(first + offset);
            item
        });
        let items = Json(items.collect::<Vec<Value>>());
        let parameters: [Parameter<'_>; 2] = [(&job_id, Type::TEXT), (&items, Type::JSONB)];
        let rows = self.0.query_repeatable(WRITE, &parameters).await?;
        rows.iter().map(result).collect()
    }

    /// Records that the notifications at `places` are announced, which browsers need no further message, and which
    /// subscriptions no longer exist.
    pub async fn record_pushes(
        &self,
        job_id: &str,
        places: &[i32],
        pushed: &[Pushed],
        gone: &[Uuid],
    ) -> Result<(), Error> {
        let pushed = Json(pushed);
        let gone: Vec<String> = gone.iter().map(Uuid::to_string).collect();
        let parameters: [Parameter<'_>; 4] = [
            (&job_id, Type::TEXT),
            (&places, Type::INT4_ARRAY),
            (&pushed, Type::JSONB),
            (&gone, Type::TEXT_ARRAY),
        ];
        self.0.query_repeatable(RECORD_PUSHES, &parameters).await?;
        Ok(())
    }
}

fn result(row: &Row) -> Result<NotificationResult, Error> {
    let outcome = serde_json::from_value(Value::String(column(row, "outcome")?));
    let item: Option<Json<InboxItem>> = column(row, "notification")?;
    let subscriptions: Option<Json<Vec<KnownSubscription>>> = column(row, "subscriptions")?;
    Ok(NotificationResult {
        place: column(row, "place")?,
        outcome: outcome.map_err(|_| Error::Unreadable)?,
        announced: column(row, "announced")?,
        item: item.map(|Json(item)| item),
        unread: Unread {
            count: column(row, "unread")?,
            version: column(row, "version")?,
        },
        subscriptions: subscriptions.map(|Json(known)| known).unwrap_or_default(),
    })
}
