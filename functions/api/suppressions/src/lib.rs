//! `/api/suppressions`: looking at the addresses that get no mail, adding to them and taking them off.
//!
//! The list says who got mail: it is for the service itself and for administrators of the whole.

pub mod list;
pub mod put;

use axum::Router;
use axum::routing::get;
use shared::base::env;
use shared::edge::{Guard, limiter};
use shared::service::mail::suppression::Suppressions;
use utoipa::OpenApi;

/// The route, behind the guard.
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
