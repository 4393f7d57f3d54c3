//! `GET /api/health/redis`: the health of the back end and its dependencies.

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

/// The checked dependencies.
#[derive(Clone, Debug)]
pub struct AppState {
    /// Sessions, caches, jobs, counters.
    pub redis: upstash::Redis,
    /// The queue.
    pub qstash: qstash::Client,
    /// The outbox in Postgres. The report includes its age.
    pub outbox: Outbox,
    /// The clock.
    pub clock: Clock,
}

/// Returns the route. It needs no authentication: it reveals no secret, and its cost does not depend on the data.
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
