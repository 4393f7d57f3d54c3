//! `POST /api/notifications/read`: marks notifications as read.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::edge::caller::ActingUser;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, invalid};
use shared::edge::{Caller, Result};
use shared::protocol::upstash::{Pipeline, Reply};
use shared::service::notification::{Marked, UnreadCounts, Wanted};
use shared::service::realtime::{self, Channel};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::Inbox;

/// The most notifications that one request names.
const MOST: usize = 1000;

/// What was read: either some, or everything.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ReadNotifications)]
pub enum WasRead {
    /// These notifications.
    #[schema(title = "ReadSome")]
    Some {
        /// Their ids. What of them is not the acting user's own is passed over.
        #[schema(min_items = 1, max_items = 1000)]
        ids: Vec<Uuid>,
    },
    /// Everything.
    #[schema(title = "ReadAll")]
    All {
        /// Always `true`.
        all: Yes,
    },
}

/// Documents that the member is `true`.
#[derive(Debug, Serialize)]
pub struct Yes(bool);

impl PartialSchema for Yes {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Boolean)
            .enum_values(Some([true]))
            .into()
    }
}

impl ToSchema for Yes {}

/// What a body may say.
#[derive(Debug, Deserialize)]
pub struct Members {
    #[serde(default)]
    ids: Option<Vec<Uuid>>,
    #[serde(default)]
    all: Option<bool>,
}

/// What marking has changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NowRead {
    /// How many were unread and are read now.
    #[schema(minimum = 0)]
    updated: i64,
    /// How many are left unread.
    #[schema(minimum = 0)]
    unread_count: i64,
}

/// Mark the acting user's notifications as read.
#[utoipa::path(
    post,
    operation_id = "readNotifications",
    path = "/api/notifications/read",
    tag = "notifications",
    params(ActingUser),
    request_body = WasRead,
    responses(
        (status = 200, description = "What has changed", body = NowRead),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn read(
    State(inbox): State<Inbox>,
    caller: Caller,
    members: input::Json<Members>,
) -> Result<Json<NowRead>> {
    let user = caller.acting_user_id()?;
    let wanted = wanted(members.value)?;
    let marked = inbox.notifications.read(user, &wanted).await?;
    inbox.tell(user, &wanted, marked).await;
    Ok(Json(NowRead {
        updated: marked.updated,
        unread_count: marked.unread.count,
    }))
}

fn wanted(members: Members) -> Result<Wanted> {
    match (members.ids, members.all) {
        (Some(ids), None) if (1..=MOST).contains(&ids.len()) => Ok(Wanted::These(ids)),
        (Some(_), None) => Err(invalid("/ids", "must name 1 to 1000 notifications")),
        (None, Some(true)) => Ok(Wanted::All),
        (None, Some(false)) => Err(invalid("/all", "is true, or absent")),
        (Some(_), Some(_)) => Err(invalid("/all", "give ids or all, not both")),
        (None, None) => Err(invalid("/ids", "is missing")),
    }
}

impl Inbox {
    /// Sets the count, and tells the user's other windows. The rows are what counts: a store that is down is no reason
    /// to say that nothing was read.
    async fn tell(&self, user: Uuid, wanted: &Wanted, marked: Marked) {
        let mut calls = Pipeline::new().script(UnreadCounts::setting(user, marked.unread));
        let ids = match wanted {
            Wanted::These(ids) => json!(ids),
            Wanted::All => json!("all"),
        };
        let data = json!({ "ids": ids, "unreadCount": marked.unread.count });
        let name = user.to_string();
        let channel = Channel::UserNotifications(&name);
        if let Ok(event) = realtime::event(channel, "notifications_read", &data)
            && marked.updated > 0
        {
            calls = calls.script(event);
        }
        let told = self.redis.pipeline(calls).await;
        let told = told.and_then(|mut replies| replies.take::<Reply>());
        if let Err(error) = told {
            tracing::warn!(error = &error as &dyn std::error::Error, "not announced");
        }
    }
}
