//! `/api/tokens` and `/api/totp/claims`: one-time tokens and TOTP codes.

pub mod claim;
pub mod token;

use axum::Router;
use axum::routing::post;
use shared::base::env;
use shared::edge::{Guard, limiter};
use shared::service::token::Tokens;
use utoipa::OpenApi;

/// Returns the routes, each behind the guard.
pub fn router(tokens: Tokens, guard: &Guard) -> Result<Router, env::Error> {
    let guarded = |route| guard.service(limiter::API.closed(), route);
    Ok(Router::new()
        .route("/api/tokens", guarded(post(token::issue))?)
        .route("/api/tokens/redeem", guarded(post(token::redeem))?)
        .route("/api/totp/claims", guarded(post(claim::claim))?)
        .with_state(tokens))
}

/// The routes' documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(token::issue, token::redeem, claim::claim))]
pub struct Documentation;
