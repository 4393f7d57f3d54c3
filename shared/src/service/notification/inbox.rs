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

/// Marks rows as read, and gives what is left unread.
const READ: &str =
    "SELECT updated, unread, version FROM signtusk.read_notifications($1::uuid, $2::uuid[])";

/// The count that triggers keep.
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

/// What a page of an inbox is made of.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only what is unread, or only what is read.
    pub unread: Option<bool>,
    /// Only this type, as rows say it.
    pub kind: Option<Reference>,
    /// Items at the most, 1 to 100.
    pub limit: u32,
    /// The cursor of the page before.
    pub cursor: Option<Cursor>,
}

/// What a user has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// These; what of them is somebody else's or not there is passed over.
    Ids(Vec<Uuid>),
    /// Everything there is.
    All,
}

/// What marking as read has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marked {
    /// How many rows were unread and are read now.
    pub updated: i64,
    /// What is left unread.
    pub unread: Unread,
}

impl Notifications {
    /// A page of a user's inbox, newest first.
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

    /// Marks a user's own notifications as read. Repeated, it changes nothing.
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

    /// How many of a user's notifications are unread, as Postgres counts.
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
