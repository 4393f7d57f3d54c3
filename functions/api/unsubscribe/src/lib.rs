//! `/api/unsubscribe`: a page that says what unsubscribing does, and does it when asked to.
//!
//! Looking changes nothing, because mail scanners open every link: only a POST does, from the page's button or from a
//! mail program's own (RFC 8058).

pub mod page;
pub mod visit;

use axum::Router;
use axum::routing::get;
use shared::base::env;
use shared::edge::{PublicGuard, limiter};
use shared::service::unsubscribe::{Subscriptions, Tokens};
use utoipa::OpenApi;

/// What the route needs.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Reads the links' tokens.
    pub tokens: Tokens,
    /// Who wants optional mail.
    pub subscriptions: Subscriptions,
}

/// The route. Anybody may call it: a link is its own proof.
pub fn router(desk: Desk, guard: &PublicGuard) -> Result<Router, env::Error> {
    let methods = get(visit::look).post(visit::act);
    Ok(Router::new()
        .route(
            "/api/unsubscribe",
            guard.public(limiter::PUBLIC.ahead(), methods)?,
        )
        .with_state(desk))
}

/// The route's documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(visit::look, visit::act))]
pub struct Documentation;
