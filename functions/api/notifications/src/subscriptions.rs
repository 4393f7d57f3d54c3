//! `POST` and `DELETE /api/notifications/subscriptions`: the browsers that receive push messages.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::edge::caller::ActingUser;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, Query, invalid};
use shared::edge::{Caller, Problem, Result};
use shared::protocol::web_push::{Endpoint, InvalidSubscription, Keys, Subscription};
use uuid::Uuid;

use crate::Inbox;

/// A subscription as returned by the browser's `PushSubscription.toJSON()`.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PushSubscription)]
pub struct SubscribeRequest {
    /// The endpoint: an https URL of a browser's push service.
    #[schema(
        max_length = 2048,
        pattern = r"^https://fcm\.googleapis\.com/[A-Za-z0-9/_-]*$",
        examples("https://fcm.googleapis.com/fcm/send/abc")
    )]
    endpoint: String,
    /// When the subscription expires, in milliseconds since 1970 (UTC); null if it does not expire.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 253_402_207_200_000_i64)]
    expiration_time: Option<f64>,
    /// The keys that messages are encrypted with.
    keys: BrowserKeys,
}

/// The browser's keys.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct BrowserKeys {
    /// The public key: an uncompressed P-256 point, in base64url or base64.
    #[schema(pattern = r"^B[A-P]([A-Za-z0-9_-]{84}|[A-Za-z0-9+/]{84})[AEIMQUYcgkosw048]=?$")]
    p256dh: String,
    /// The authentication secret: 16 bytes, in base64url or base64.
    #[schema(pattern = r"^([A-Za-z0-9_-]{21}|[A-Za-z0-9+/]{21})[AQgw](==)?$")]
    auth: String,
}

/// A push subscription.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subscribed {
    /// The id of the subscription.
    subscription_id: Uuid,
}

/// The subscription to delete.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeleteQuery {
    /// The endpoint of the subscription.
    endpoint: String,
}

/// Create a push subscription
///
/// Sends the acting user's notifications to a browser (Web Push). Repeating the call only updates the keys. A user has
/// at most twenty subscriptions; the oldest one is removed for a new one.
#[utoipa::path(
    post,
    operation_id = "subscribeToPush",
    path = "/api/notifications/subscriptions",
    tag = "notifications",
    params(ActingUser),
    request_body = SubscribeRequest,
    responses(
        (status = 201, description = "The subscription was created", body = Subscribed),
        (status = 200, description = "The subscription already existed", body = Subscribed),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn subscribe(
    State(inbox): State<Inbox>,
    caller: Caller,
    request: input::Json<SubscribeRequest>,
) -> Result<Response> {
    let user = caller.acting_user_id()?;
    let request = request.value;
    let subscription = Subscription {
        endpoint: Endpoint::parse(&request.endpoint, &inbox.services).map_err(refused)?,
        keys: Keys::parse(&request.keys.p256dh, &request.keys.auth).map_err(refused)?,
    };
    let expires = request.expiration_time.map(instant).transpose()?;
    let put = inbox
        .subscriptions
        .put(user, &subscription, expires)
        .await?;
    let status = if put.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let body = Subscribed {
        subscription_id: put.id,
    };
    Ok((status, Json(body)).into_response())
}

/// Delete a push subscription
///
/// An unknown subscription counts as deleted.
#[utoipa::path(
    delete,
    operation_id = "unsubscribeFromPush",
    path = "/api/notifications/subscriptions",
    tag = "notifications",
    params(DeleteQuery, ActingUser),
    responses(
        (status = 204, description = "There is no such subscription"),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn unsubscribe(
    State(inbox): State<Inbox>,
    caller: Caller,
    Query(query): Query<DeleteQuery>,
) -> Result<StatusCode> {
    let user = caller.acting_user_id()?;
    // No database column holds an endpoint with a NUL character.
    if !query.endpoint.contains('\0') {
        inbox.subscriptions.remove(user, &query.endpoint).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

fn refused(error: InvalidSubscription) -> Problem {
    let pointer = match error {
        InvalidSubscription::Endpoint | InvalidSubscription::Unknown => "/endpoint",
        InvalidSubscription::Key => "/keys/p256dh",
        InvalidSubscription::Auth => "/keys/auth",
    };
    invalid(pointer, &error.to_string())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "what is out of range is not an instant, and is refused as such"
)]
fn instant(millis: f64) -> Result<Timestamp> {
    Timestamp::from_millisecond(millis as i64)
        .ok()
        .filter(|at| *at >= Timestamp::UNIX_EPOCH)
        .ok_or_else(|| {
            invalid(
                "/expirationTime",
                "must be a time in milliseconds since 1970",
            )
        })
}
