//! `GET /api/notifications`: a page of the inbox.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::edge::caller::ActingUser;
use shared::edge::documented::GuardProblems;
use shared::edge::input::Query;
use shared::edge::page::Limit;
use shared::edge::{Caller, Result};
use shared::service::email::Reference;
use shared::service::notification::{Filter, InboxItem};
use shared::service::page::Cursor;

use crate::Inbox;

/// What the page is made of.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// `true`: only what is unread; `false`: only what is read.
    unread: Option<bool>,
    /// Only this type, as items name it.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    kind: Option<Reference>,
    /// Items on the page.
    #[serde(default)]
    #[param(value_type = u32, required = false, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// The `cursor` of the page before.
    #[param(inline, value_type = Cursor, required = false)]
    cursor: Option<Cursor>,
}

/// A page of an inbox.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct InboxPage {
    /// The notifications, newest first.
    items: Vec<InboxItem>,
    /// Where the next page goes on; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// The acting user's notifications, newest first.
#[utoipa::path(
    get,
    operation_id = "listNotifications",
    path = "/api/notifications",
    tag = "notifications",
    params(Wanted, ActingUser),
    responses(
        (status = 200, description = "A page", body = InboxPage),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn list(
    State(inbox): State<Inbox>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<InboxPage>> {
    let user = caller.acting_user_id()?;
    let filter = Filter {
        unread: wanted.unread,
        kind: wanted.kind,
        limit: wanted.limit.items().try_into().unwrap_or(u32::MAX),
        cursor: wanted.cursor,
    };
    let page = inbox.notifications.list(user, &filter).await?;
    Ok(Json(InboxPage {
        items: page.items,
        cursor: page.cursor.map(|cursor| cursor.to_string()),
    }))
}
