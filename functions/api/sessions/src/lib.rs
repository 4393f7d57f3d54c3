//! `/api/sessions`: one session, from its beginning to its end.

pub mod begin;
pub mod one;
pub mod refresh;
pub mod totp;

use axum::Router;
use axum::routing::{get, post, put};
use http::StatusCode;
use shared::edge::{Guard, Problem, limiter};
use shared::service::session::Sessions;
use utoipa::OpenApi;

/// The routes, each behind the guard.
pub fn router(sessions: Sessions, guard: &Guard) -> Router {
    let one = get(one::show).delete(one::revoke);
    Router::new()
        .route(
            "/api/sessions",
            guard.service(limiter::API, post(begin::begin)),
        )
        .route(
            "/api/sessions/{sessionId}",
            guard.service(limiter::API, one),
        )
        .route(
            "/api/sessions/{sessionId}/refresh",
            guard.service(limiter::API, post(refresh::refresh)),
        )
        .route(
            "/api/sessions/{sessionId}/totp",
            guard.service(limiter::API, put(totp::put)),
        )
        .with_state(sessions)
}

/// The routes' documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(begin::begin, one::show, one::revoke, refresh::refresh, totp::put))]
pub struct Documentation;

/// There is no such session, it has ended, or the caller may not see it: they are not told apart.
fn not_found() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "session_not_found",
        "There is no such session: it has ended, was revoked, or is not yours.",
    )
}
