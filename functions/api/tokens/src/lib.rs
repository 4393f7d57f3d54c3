//! `/api/tokens` and `/api/totp/claims`: what is good once.

pub mod claim;
pub mod token;

use axum::Router;
use axum::routing::post;
use shared::edge::{Guard, limiter};
use shared::service::token::Tokens;
use utoipa::OpenApi;

/// The routes, each behind the guard.
pub fn router(tokens: Tokens, guard: &Guard) -> Router {
    Router::new()
        .route(
            "/api/tokens",
            guard.service(limiter::API, post(token::issue)),
        )
        .route(
            "/api/tokens/redeem",
            guard.service(limiter::API, post(token::redeem)),
        )
        .route(
            "/api/totp/claims",
            guard.service(limiter::API, post(claim::claim)),
        )
        .with_state(tokens)
}

/// The routes' documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(token::issue, token::redeem, claim::claim))]
pub struct Documentation;
