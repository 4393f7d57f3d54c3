//! `/api/security/rate-limits`: the named limiters, for the web app's own routes.

pub mod check;
pub mod report;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use shared::base::clock::Clock;
use shared::base::env;
use shared::edge::{Guard, limiter};
use shared::service::rate_limit::{ALL, Limit, RateLimits};
use utoipa::OpenApi;

/// The state of the routes: the counters, and each limiter at the rate of this deployment.
#[derive(Clone, Debug)]
pub struct AppState {
    limits: RateLimits,
    all: Arc<[Limit]>,
    clock: Clock,
}

impl AppState {
    /// Reads every named limiter, at the rate of its variable or its default.
    pub fn from_env(limits: RateLimits, clock: Clock) -> Result<Self, env::Error> {
        let all: Result<Vec<Limit>, _> =
            ALL.iter().map(|limiter| Limit::from_env(limiter)).collect();
        Ok(Self {
            limits,
            all: all?.into(),
            clock,
        })
    }

    fn named(&self, name: &str) -> Option<Limit> {
        self.all
            .iter()
            .find(|limit| limit.limiter().name == name)
            .copied()
    }
}

/// Returns the routes. A check is not limited itself: it always answers 200.
pub fn router(state: AppState, guard: &Guard) -> Result<Router, env::Error> {
    let check = guard.unlimited(
        "it is the limiter, and always answers 200",
        post(check::check),
    );
    Ok(Router::new()
        .route("/api/security/rate-limits/{limiter}", check)
        .route(
            "/api/security/rate-limits",
            guard.service(limiter::API, get(report::show))?,
        )
        .with_state(state))
}

/// The routes' documentation.
#[derive(Debug, OpenApi)]
#[openapi(
    paths(check::check, report::show),
    components(schemas(check::LimiterName))
)]
pub struct Documentation;
