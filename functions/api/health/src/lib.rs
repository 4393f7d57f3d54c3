//! `GET /api/health/redis`: whether the back end and what it stands on are well.

pub mod check;
pub mod report;

pub mod watch;

mod probe;

pub use probe::PROBE;

use axum::Router;
use axum::routing::get;
use shared::base::clock::Clock;
use shared::base::env;
use shared::edge::{PublicGuard, limiter, unlimited};
use shared::protocol::{qstash, upstash};
use shared::service::outbox::Outbox;
use utoipa::OpenApi;

/// What is looked at.
#[derive(Clone, Debug)]
pub struct AppState {
    /// Sessions, caches, jobs, counters.
    pub redis: upstash::Redis,
    /// The queue.
    pub qstash: qstash::Client,
    /// What lasts, and in it the outbox, whose age is told.
    pub outbox: Outbox,
    /// The present.
    pub clock: Clock,
}

/// The route. Anybody may call it: it tells no secret and costs the same whatever the data.
pub fn router(state: AppState, guard: &PublicGuard) -> Result<Router, env::Error> {
    Ok(Router::new()
        .route(
            "/api/health/redis",
            guard.public(limiter::PUBLIC, get(check::show))?,
        )
        .route(
            watch::PATH,
            unlimited("only the schedule reaches it", get(watch::watch)),
        )
        .with_state(state))
}

/// The route's documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(check::show))]
pub struct Documentation;
