//! `POST` and `DELETE /api/notifications/subscriptions`: the browsers that are told.

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

/// A subscription as the browser's `PushSubscription.toJSON()` gives it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PushSubscription)]
pub struct Wanted {
    /// The push service's address: https, at one of the browsers' push services.
    #[schema(
        max_length = 2048,
        pattern = r"^https://fcm\.googleapis\.com/[A-Za-z0-9/_-]*$",
        examples("https://fcm.googleapis.com/fcm/send/abc")
    )]
    endpoint: String,
    /// When it ends, in milliseconds since 1970 (UTC); null where it does not.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 253_402_207_200_000_i64)]
    expiration_time: Option<f64>,
    /// What messages are encrypted with.
    keys: BrowserKeys,
}

/// The browser's keys.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct BrowserKeys {
    /// The public key: an uncompressed point of P-256, in base64url or base64.
    #[schema(pattern = r"^B[A-P]([A-Za-z0-9_-]{84}|[A-Za-z0-9+/]{84})[AEIMQUYcgkosw048]=?$")]
    p256dh: String,
    /// The secret: 16 bytes, in base64url or base64.
    #[schema(pattern = r"^([A-Za-z0-9_-]{21}|[A-Za-z0-9+/]{21})[AQgw](==)?$")]
    auth: String,
}

/// A browser that is told.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subscribed {
    /// Its id here.
    subscription_id: Uuid,
}

/// Which browser is told no more.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Lifted {
    /// The address that was subscribed with.
    endpoint: String,
}

/// Tell a browser of the acting user's notifications (Web Push).
///
/// Repeated, it changes the keys and nothing else. A user has twenty browsers at the most; the one that subscribed
/// first goes.
#[utoipa::path(
    post,
    operation_id = "subscribeToPush",
    path = "/api/notifications/subscriptions",
    tag = "notifications",
    params(ActingUser),
    request_body = Wanted,
    responses(
        (status = 201, description = "The browser is told from now on", body = Subscribed),
        (status = 200, description = "It was told before", body = Subscribed),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn subscribe(
    State(inbox): State<Inbox>,
    caller: Caller,
    wanted: input::Json<Wanted>,
) -> Result<Response> {
    let user = caller.acting_user_id()?;
    let wanted = wanted.value;
    let subscription = Subscription {
        endpoint: Endpoint::parse(&wanted.endpoint, &inbox.services).map_err(refused)?,
        keys: Keys::parse(&wanted.keys.p256dh, &wanted.keys.auth).map_err(refused)?,
    };
    let expires = wanted.expiration_time.map(instant).transpose()?;
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

/// Stop telling a browser.
///
/// What was not subscribed is gone already.
#[utoipa::path(
    delete,
    operation_id = "unsubscribeFromPush",
    path = "/api/notifications/subscriptions",
    tag = "notifications",
    params(Lifted, ActingUser),
    responses(
        (status = 204, description = "The browser is not told"),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn unsubscribe(
    State(inbox): State<Inbox>,
    caller: Caller,
    Query(lifted): Query<Lifted>,
) -> Result<StatusCode> {
    let user = caller.acting_user_id()?;
    // An address with a NUL character stands in no database.
    if !lifted.endpoint.contains('\0') {
        inbox.subscriptions.remove(user, &lifted.endpoint).await?;
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
