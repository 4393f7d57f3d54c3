//! `/api/notifications`: the inbox of the acting user.
//!
//! Every route is about whoever acts and nobody else: no query names a user, and no id reaches another's row.

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

/// What the routes stand on.
#[derive(Clone, Debug)]
pub struct Inbox {
    /// The rows.
    pub notifications: Notifications,
    /// The users' browsers.
    pub subscriptions: Subscriptions,
    /// The unread counts that Redis holds.
    pub counts: UnreadCounts,
    /// The push services that browsers may name.
    pub services: PushServices,
    /// Where a user's other windows hear of what was read.
    pub redis: Redis,
}

/// The routes, each behind the guard. The list is Postgres's, so its limit is asked before.
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
