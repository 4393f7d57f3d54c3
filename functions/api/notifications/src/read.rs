//! `POST /api/notifications/read`: marks notifications as read.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::base::causes::causes;
use shared::edge::caller::ActingUser;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, invalid};
use shared::edge::{Caller, Result};
use shared::protocol::upstash::{Pipeline, Reply};
use shared::service::notification::{Marked, Selection, UnreadCounts};
use shared::service::realtime::{Channel, Event};
use utoipa::openapi::schema::{
    AnyOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::Inbox;

/// The maximum number of notifications in one request.
const MAX_IDS: usize = 1000;

/// The notifications to mark as read: some (`ids`) or all (`all`).
// The schema documents a body that is parsed in two steps, so that an error can name the field.
#[derive(Debug)]
pub struct ReadNotifications;

impl PartialSchema for ReadNotifications {
    fn schema() -> RefOr<Schema> {
        let object = || ObjectBuilder::new().schema_type(Type::Object);
        let no = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Boolean, Type::Null]))
            .enum_values(Some([Some(false), None]));
        let yes = ObjectBuilder::new()
            .schema_type(Type::Boolean)
            .enum_values(Some([true]));
        let id = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
        let ids = ArrayBuilder::new()
            .items(id)
            .min_items(Some(1))
            .max_items(Some(MAX_IDS))
            .description(Some(
                "The ids of the notifications. Notifications of other users are ignored.",
            ));
        AnyOfBuilder::new()
            .item(
                object()
                    .property("ids", ids)
                    .required("ids")
                    .property("all", no),
            )
            .item(
                object()
                    .property("all", yes)
                    .required("all")
                    .property("ids", ObjectBuilder::new().schema_type(Type::Null)),
            )
            .description(Some(
                "The notifications to mark as read: some (`ids`) or all (`all`).",
            ))
            .into()
    }
}

impl ToSchema for ReadNotifications {}

/// The members of a body.
#[derive(Debug, Deserialize)]
pub struct ReadRequest {
    #[serde(default)]
    ids: Option<Vec<Uuid>>,
    #[serde(default)]
    all: Option<bool>,
}

/// The result of marking notifications as read.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NowRead)]
pub struct ReadResult {
    /// Notifications that were unread and are read now.
    #[schema(minimum = 0)]
    updated: i64,
    /// Notifications that are still unread.
    #[schema(minimum = 0)]
    unread_count: i64,
}

/// Mark notifications as read
///
/// Marks some or all notifications of the acting user.
#[utoipa::path(
    post,
    operation_id = "readNotifications",
    path = "/api/notifications/read",
    tag = "notifications",
    params(ActingUser),
    request_body = ReadNotifications,
    responses(
        (status = 200, description = "The result", body = ReadResult),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn read(
    State(inbox): State<Inbox>,
    caller: Caller,
    request: input::Json<ReadRequest>,
) -> Result<Json<ReadResult>> {
    let user = caller.acting_user_id()?;
    let selection = selection(request.value)?;
    let marked = inbox.notifications.read(user, &selection).await?;
    inbox.announce(user, &selection, marked).await;
    Ok(Json(ReadResult {
        updated: marked.updated,
        unread_count: marked.unread.count,
    }))
}

fn selection(request: ReadRequest) -> Result<Selection> {
    match (request.ids, request.all.unwrap_or_default()) {
        (Some(ids), false) if (1..=MAX_IDS).contains(&ids.len()) => Ok(Selection::Ids(ids)),
        (Some(_), false) => Err(invalid("/ids", "must contain 1 to 1000 ids")),
        (None, true) => Ok(Selection::All),
        (Some(_), true) => Err(invalid("/all", "must not be combined with ids")),
        (None, false) => Err(invalid("/ids", "is missing")),
    }
}

impl Inbox {
    /// Sets the count and informs the user's other windows. The rows are authoritative, so an unavailable Redis is not
    /// an error.
    async fn announce(&self, user: Uuid, selection: &Selection, marked: Marked) {
        let mut calls = Pipeline::new().script(UnreadCounts::setting(user, marked.unread));
        let ids = match selection {
            Selection::Ids(ids) => json!(ids),
            Selection::All => json!("all"),
        };
        let data = json!({ "ids": ids, "unreadCount": marked.unread.count });
        let name = user.to_string();
        let channel = Channel::UserNotifications(&name);
        if let Ok(event) = Event::new(channel, "notifications_read", &data)
            && marked.updated > 0
        {
            calls = event.join(calls);
        }
        let published = self.redis.pipeline(calls).await;
        let published = published.and_then(|mut replies| replies.take::<Reply>());
        if let Err(error) = published {
            tracing::warn!(
                error = causes(&error),
                "notifications marked as read; count and event not written to Redis"
            );
        }
    }
}
