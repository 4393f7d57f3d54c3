//! The inbox of one user.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::store::{Error, Notifications};
use super::unread::Unread;
use crate::base::json::RawJson;
use crate::protocol::postgres::{Json, Parameter, Type, column};
use crate::service::mail::payload::Reference;
use crate::service::page::{self, Cursor, Page};

/// One page, newest first.
const LIST: &str = include_str!("list.sql");

/// Marks rows as read, and returns the remaining unread count.
const READ: &str =
    "SELECT updated, unread, version FROM signtusk.read_notifications($1::uuid, $2::uuid[])";

/// Reads the count that triggers maintain.
const UNREAD: &str = "SELECT unread, version FROM signtusk.unread_counts WHERE user_id = $1::uuid";

/// A notification in a user's inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InboxItem)]
pub struct InboxItem {
    /// The id of the notification.
    pub id: Uuid,
    /// The id of the user.
    pub user_id: Uuid,
    /// The type as stored: `system` for `system_notification`, `general` for those of a bulk.
    #[serde(rename = "type")]
    pub kind: String,
    /// The title.
    pub title: String,
    /// The message.
    pub message: String,
    /// Data stored by the web app.
    #[schema(value_type = Object)]
    pub metadata: RawJson,
    /// The link of the notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_url: Option<String>,
    /// Whether the user has read it.
    pub is_read: bool,
    /// When the notification was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// The filter of a page of an inbox.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only unread notifications (true), or only read ones (false).
    pub unread: Option<bool>,
    /// Only this type, as stored in rows.
    pub kind: Option<Reference>,
    /// The largest number of items, 1 to 100.
    pub limit: u32,
    /// The cursor of the previous page.
    pub cursor: Option<Cursor>,
}

/// The notifications to mark as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// These ids; absent ones, and those of other users, are ignored.
    Ids(Vec<Uuid>),
    /// All notifications.
    All,
}

/// The result of marking as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The number of rows that were unread before.
    pub updated: i64,
    /// The remaining unread count.
    pub unread: Unread,
}

impl Notifications {
    /// Returns a page of a user's inbox, newest first.
    pub async fn list(&self, user: Uuid, filter: &Filter) -> Result<Page<InboxItem>, Error> {
        let user = user.to_string();
        let kind = filter.kind.as_ref().map(Reference::as_str);
        let micros = filter.cursor.as_ref().map(Cursor::micros);
        let key = filter.cursor.as_ref().map(Cursor::key);
        let limit = page::rows(filter.limit);
        let parameters: [Parameter<'_>; 6] = [
            (&user, Type::TEXT),
            (&filter.unread, Type::BOOL),
            (&kind, Type::TEXT),
            (&micros, Type::INT8),
            (&key, Type::TEXT),
            (&limit, Type::INT8),
        ];
        let rows = self.postgres().query_repeatable(LIST, &parameters).await?;
        let items = rows
            .iter()
            .map(|row| column(row, "item").map(|Json(item)| item));
        let items = items.collect::<Result<Vec<InboxItem>, _>>()?;
        Ok(Page::cut(items, filter.limit, |item| {
            Cursor::new(item.created_at, &item.id.to_string())
        }))
    }

    /// Marks a user's own notifications as read. Repeating it changes nothing.
    pub async fn read(&self, user: Uuid, selection: &Selection) -> Result<Marked, Error> {
        let user = user.to_string();
        let ids: Option<Vec<String>> = match selection {
            Selection::Ids(ids) => Some(ids.iter().map(Uuid::to_string).collect()),
            Selection::All => None,
        };
        let parameters: [Parameter<'_>; 2] = [(&user, Type::TEXT), (&ids, Type::TEXT_ARRAY)];
        let rows = self.postgres().query_repeatable(READ, &parameters).await?;
        let row = rows.first().ok_or(Error::Unreadable)?;
        Ok(Marked {
            updated: column(row, "updated")?,
            unread: Unread {
                count: column(row, "unread")?,
                version: column(row, "version")?,
            },
        })
    }

    /// Returns a user's unread count in Postgres.
    pub async fn unread(&self, user: Uuid) -> Result<Unread, Error> {
        let user = user.to_string();
        let parameters: [Parameter<'_>; 1] = [(&user, Type::TEXT)];
        let rows = self
            .postgres()
            .query_repeatable(UNREAD, &parameters)
            .await?;
        let Some(row) = rows.first() else {
            return Ok(Unread::default());
        };
        Ok(Unread {
            count: column(row, "unread")?,
            version: column(row, "version")?,
        })
    }
}
