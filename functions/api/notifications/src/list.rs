//! `GET /api/notifications`: a page of the inbox.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::edge::caller::ActingUser;
use shared::edge::documented::GuardProblems;
use shared::edge::input::Query;
use shared::edge::page::Limit;
use shared::edge::{Caller, Result};
use shared::service::mail::payload::Reference;
use shared::service::notification::{Filter, InboxItem};
use shared::service::page::Cursor;

use crate::Inbox;

/// Filters for notifications, and the page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `true` for unread notifications only, `false` for read ones only.
    unread: Option<bool>,
    /// Only this type, as named in the items.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    kind: Option<Reference>,
    /// Items per page.
    #[serde(default)]
    #[param(value_type = u32, required = false, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// The `cursor` of the previous page.
    #[param(inline, value_type = Cursor, required = false)]
    cursor: Option<Cursor>,
}

/// A page of an inbox.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct InboxPage {
    /// The notifications, newest first.
    items: Vec<InboxItem>,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// List notifications
///
/// Returns the acting user's notifications, newest first.
#[utoipa::path(
    get,
    operation_id = "listNotifications",
    path = "/api/notifications",
    tag = "notifications",
    params(ListQuery, ActingUser),
    responses(
        (status = 200, description = "A page of notifications", body = InboxPage),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn list(
    State(inbox): State<Inbox>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<InboxPage>> {
    let user = caller.acting_user_id()?;
    let filter = Filter {
        unread: query.unread,
        kind: query.kind,
        limit: query.limit.items().try_into().unwrap_or(u32::MAX),
        cursor: query.cursor,
    };
    let page = inbox.notifications.list(user, &filter).await?;
    Ok(Json(InboxPage {
        items: page.items,
        cursor: page.cursor.map(|cursor| cursor.to_string()),
    }))
}
