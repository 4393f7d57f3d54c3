//! `/api/users/{userId}/sessions`: the sessions of a user.

pub mod list;

use axum::Router;
use axum::routing::get;
use shared::base::env;
use shared::edge::{Guard, limiter};
use shared::service::session::Sessions;
use utoipa::OpenApi;

/// Returns the route, behind the guard.
pub fn router(sessions: Sessions, guard: &Guard) -> Result<Router, env::Error> {
    let guarded = |route| guard.service(limiter::API.before(), route);
    let methods = get(list::list).delete(list::revoke);
    Ok(Router::new()
        .route("/api/users/{userId}/sessions", guarded(methods)?)
        .with_state(sessions))
}

/// The route's documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(list::list, list::revoke))]
pub struct Documentation;
