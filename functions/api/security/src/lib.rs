//! `/api/security`: attempts, assessments, and the block list.

pub mod assess;
pub mod attempts;
pub mod blocklist;
mod visitor;

use axum::Router;
use axum::routing::{get, post};
use shared::base::env;
use shared::edge::{Guard, limiter};
use shared::service::security::{Blocklist, Security};
use utoipa::OpenApi;

/// The state of the routes.
#[derive(Clone, Debug)]
pub struct AppState {
    /// Attempts and assessments.
    pub security: Security,
    /// The blocked networks.
    pub blocklist: Blocklist,
}

/// Returns the routes, each behind the guard. The block list is in Postgres, so its limit is checked first.
pub fn router(state: AppState, guard: &Guard) -> Result<Router, env::Error> {
    let blocklist = get(blocklist::list)
        .put(blocklist::put)
        .delete(blocklist::remove);
    Ok(Router::new()
        .route(
            "/api/security/attempts",
            guard.service(limiter::API, post(attempts::record))?,
        )
        .route(
            "/api/security/assess",
            guard.service(limiter::API, post(assess::assess))?,
        )
        .route(
            "/api/security/blocklist",
            guard.service(limiter::API.before(), blocklist)?,
        )
        .with_state(state))
}

/// The routes' documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(
    attempts::record,
    assess::assess,
    blocklist::list,
    blocklist::put,
    blocklist::remove
))]
pub struct Documentation;
