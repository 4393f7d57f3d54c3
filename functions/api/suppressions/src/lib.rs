//! `/api/suppressions`: lists, adds and removes the addresses that get no mail.
//!
//! The list reveals who got mail, so only the service itself and administrators may use it.

pub mod list;
pub mod put;

use axum::Router;
use axum::routing::get;
use shared::base::env;
use shared::edge::{Guard, limiter};
use shared::service::mail::suppression::Suppressions;
use utoipa::OpenApi;

/// Returns the route, behind the guard.
pub fn router(suppressions: Suppressions, guard: &Guard) -> Result<Router, env::Error> {
    let methods = get(list::list).put(put::put).delete(put::remove);
    Ok(Router::new()
        .route(
            "/api/suppressions",
            guard.service(limiter::API.before(), methods)?,
        )
        .with_state(suppressions))
}

/// The route's documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(list::list, put::put, put::remove))]
pub struct Documentation;
