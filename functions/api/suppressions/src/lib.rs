//! `/api/suppressions`: looking at the addresses that get no mail, adding to them and taking them off.
//!
//! The list says who got mail: it is for the service itself and for administrators of the whole.

pub mod list;
pub mod one;

use axum::Router;
use axum::routing::get;
use shared::base::env;
use shared::edge::{Guard, limiter};
use shared::service::suppression::Suppressions;
use utoipa::OpenApi;

/// The route, behind the guard.
pub fn router(suppressions: Suppressions, guard: &Guard) -> Result<Router, env::Error> {
    let methods = get(list::list).put(one::put).delete(one::remove);
    Ok(Router::new()
        .route(
            "/api/suppressions",
            guard.service(limiter::API.ahead(), methods)?,
        )
        .with_state(suppressions))
}

/// The route's documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(list::list, one::put, one::remove))]
pub struct Documentation;
