//! `/api/unsubscribe`: a page that says what unsubscribing does, and does it when asked to.
//!
//! Looking changes nothing, because mail scanners open every link: only a POST does, from the page's button or from a
//! mail program's own (RFC 8058).

pub mod page;
pub mod subscription;

use axum::Router;
use axum::routing::get;
use shared::base::env;
use shared::edge::{PublicGuard, limiter};
use shared::service::mail::unsubscribe::{Subscriptions, Tokens};
use utoipa::OpenApi;

/// What the route needs.
#[derive(Clone, Debug)]
pub struct AppState {
    /// Reads the links' tokens.
    pub tokens: Tokens,
    /// Who wants optional mail.
    pub subscriptions: Subscriptions,
}

/// The route. Anybody may call it: a link is its own proof.
pub fn router(state: AppState, guard: &PublicGuard) -> Result<Router, env::Error> {
    let methods = get(subscription::show).post(subscription::submit);
    Ok(Router::new()
        .route(
            "/api/unsubscribe",
            guard.public(limiter::PUBLIC.before(), methods)?,
        )
        .with_state(state))
}

/// The route's documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(subscription::show, subscription::submit))]
pub struct Documentation;
