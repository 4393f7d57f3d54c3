//! `/api/sessions`: creates, reads, refreshes and revokes one session.

pub mod create;
pub mod get;
pub mod refresh;
pub mod totp;

use axum::Router;
use axum::routing::{get, post, put};
use http::StatusCode;
use shared::base::env;
use shared::edge::{Guard, Problem, limiter};
use shared::service::session::Sessions;
use utoipa::OpenApi;

/// Returns the routes, each behind the guard.
pub fn router(sessions: Sessions, guard: &Guard) -> Result<Router, env::Error> {
    let guarded = |route| guard.service(limiter::API, route);
    let one = get(get::show).delete(get::revoke);
    Ok(Router::new()
        .route("/api/sessions", guarded(post(create::create))?)
        .route("/api/sessions/{sessionId}", guarded(one)?)
        .route(
            "/api/sessions/{sessionId}/refresh",
            guarded(post(refresh::refresh))?,
        )
        .route("/api/sessions/{sessionId}/totp", guarded(put(totp::put))?)
        .with_state(sessions))
}

/// The routes' documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(create::create, get::show, get::revoke, refresh::refresh, totp::put))]
pub struct Documentation;

/// Returns 404. The response is the same if the session does not exist, has ended, or is not visible to the caller.
fn not_found() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "session_not_found",
        "Session not found. It has expired, was revoked, or belongs to another user.",
    )
}
