//! `/api/notifications`: the inbox of the acting user.
//!
//! Every route concerns only the acting user: no query names a user, and no id reaches another user's row.

pub mod list;
pub mod read;
pub mod subscriptions;
pub mod unread;

use axum::Router;
use axum::routing::{get, post};
use shared::base::env;
use shared::edge::{Guard, limiter};
use shared::protocol::upstash::Redis;
use shared::protocol::web_push::PushServices;
use shared::service::notification::{Notifications, Subscriptions, UnreadCounts};
use utoipa::OpenApi;

/// The state of the routes.
#[derive(Clone, Debug)]
pub struct Inbox {
    /// The rows.
    pub notifications: Notifications,
    /// The push subscriptions of the users' browsers.
    pub subscriptions: Subscriptions,
    /// The unread counts in Redis.
    pub counts: UnreadCounts,
    /// The push services that subscriptions may use.
    pub services: PushServices,
    /// The store that informs a user's other windows of read notifications.
    pub redis: Redis,
}

/// Returns the routes, each behind the guard. The list reads Postgres, so its limit is checked first.
pub fn router(inbox: Inbox, guard: &Guard) -> Result<Router, env::Error> {
    let guarded = |methods| guard.service(limiter::API, methods);
    let subscriptions = post(subscriptions::subscribe).delete(subscriptions::unsubscribe);
    Ok(Router::new()
        .route(
            "/api/notifications",
            guard.service(limiter::API.before(), get(list::list))?,
        )
        .route(
            "/api/notifications/unread-count",
            guarded(get(unread::count))?,
        )
        .route("/api/notifications/read", guarded(post(read::read))?)
        .route("/api/notifications/subscriptions", guarded(subscriptions)?)
        .with_state(inbox))
}

/// The routes' documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(
    list::list,
    unread::count,
    read::read,
    subscriptions::subscribe,
    subscriptions::unsubscribe
))]
pub struct Documentation;
