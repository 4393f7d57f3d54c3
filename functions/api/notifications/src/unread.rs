//! `GET /api/notifications/unread-count`: the number of unread notifications.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use shared::base::causes::causes;
use shared::edge::caller::ActingUser;
use shared::edge::documented::GuardProblems;
use shared::edge::{Caller, Result};
use uuid::Uuid;

use crate::Inbox;

/// The number of unread notifications.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnreadCount {
    /// The number of unread notifications.
    #[schema(minimum = 0)]
    unread_count: i64,
}

/// Count unread notifications
///
/// Counts the acting user's notifications. Changes through these functions count at once. Changes by the web app itself
/// count within five minutes.
#[utoipa::path(
    get,
    operation_id = "countUnreadNotifications",
    path = "/api/notifications/unread-count",
    tag = "notifications",
    params(ActingUser),
    responses(
        (status = 200, description = "The number of unread notifications", body = UnreadCount),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn count(State(inbox): State<Inbox>, caller: Caller) -> Result<Json<UnreadCount>> {
    let user = caller.acting_user_id()?;
    Ok(Json(UnreadCount {
        unread_count: inbox.unread(user).await?,
    }))
}

impl Inbox {
    /// Returns the count from Redis. If Redis does not have it, returns the count from Postgres and stores it in Redis.
    /// An unavailable Redis is not an error.
    async fn unread(&self, user: Uuid) -> Result<i64> {
        match self.counts.get(user).await {
            Ok(Some(known)) => return Ok(known),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(
                    error = causes(&error),
                    "Redis unavailable; unread count read from Postgres"
                );
                return Ok(self.notifications.unread(user).await?.count);
            }
        }
        let unread = self.notifications.unread(user).await?;
        match self.counts.set(user, unread).await {
            Ok(later) => Ok(later),
            Err(error) => {
                tracing::warn!(
                    error = causes(&error),
                    "unread count not stored in Redis; the next read counts again"
                );
                Ok(unread.count)
            }
        }
    }
}
