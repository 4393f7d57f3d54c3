//! `/api/unsubscribe`: a page that explains unsubscribing and does it on request.
//!
//! GET changes nothing, because mail scanners open every link. Only a POST does, from the page's button or from a mail
//! program (RFC 8058).

pub mod page;
pub mod subscription;

use axum::Router;
use axum::routing::get;
use shared::base::env;
use shared::edge::{PublicGuard, limiter};
use shared::service::mail::unsubscribe::{Subscriptions, Tokens};
use utoipa::OpenApi;

/// The state of the route.
#[derive(Clone, Debug)]
pub struct AppState {
    /// Parses the tokens of links.
    pub tokens: Tokens,
    /// The addresses' choices on optional mail.
    pub subscriptions: Subscriptions,
}

/// Returns the route. It needs no authentication: a link is signed.
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
