//! `/api/audit`: lists, verifies and exports the audit log.

pub mod csv;
pub mod export;
pub mod list;
pub mod verify;
mod viewer;

use axum::Router;
use axum::routing::get;
use shared::base::env;
use shared::edge::{Guard, limiter};
use shared::service::audit::{Audit, CheckpointSigner, Name, Word};
use utoipa::OpenApi;

/// The log and the signer of its checkpoints.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The log.
    pub audit: Audit,
    /// Signs the checkpoints.
    pub signer: CheckpointSigner,
}

/// Returns the routes, behind the guard.
pub fn router(state: AppState, guard: &Guard) -> Result<Router, env::Error> {
    let guarded = |route| guard.service(limiter::API.before(), route);
    Ok(Router::new()
        .route("/api/audit", guarded(get(list::list))?)
        .route("/api/audit/verify", guarded(get(verify::verify))?)
        .route("/api/audit/export", guarded(get(export::export))?)
        .with_state(state))
}

/// The routes' documentation.
#[derive(Debug, OpenApi)]
#[openapi(
    paths(list::list, verify::verify, export::export),
    components(schemas(Name, Word))
)]
pub struct Documentation;
