//! `POST /api/queue/*`: the routes that enqueue jobs.

mod accepted;
pub mod audit;
pub mod bulk;
pub mod bulk_notifications;
pub mod emails;
mod enqueue;
pub mod idempotency;
pub mod notifications;
mod request;
pub mod timing;

use axum::Router;
use axum::routing::post;
use shared::base::clock::Clock;
use shared::base::env;
use shared::edge::{Guard, limiter};
use shared::service::job::{Jobs, Publisher};
use utoipa::OpenApi;

use accepted::{Accepted, AcceptedBatch};

/// The state of the routes: job records, the publisher, and the clock for delays.
#[derive(Clone, Debug)]
pub struct Queue {
    /// The records of jobs.
    pub jobs: Jobs,
    /// Publishes the jobs.
    pub publisher: Publisher,
    /// The clock that delays are relative to.
    pub clock: Clock,
}

/// Returns the routes, each behind the guard.
pub fn router(queue: Queue, guard: &Guard) -> Result<Router, env::Error> {
    let guarded = |methods| guard.service(limiter::API, methods);
    Ok(Router::new()
        .route("/api/queue/emails", guarded(post(emails::enqueue))?)
        .route("/api/queue/emails/bulk", guarded(post(bulk::enqueue))?)
        .route(
            "/api/queue/notifications",
            guarded(post(notifications::enqueue))?,
        )
        .route(
            "/api/queue/notifications/bulk",
            guarded(post(bulk_notifications::enqueue))?,
        )
        .route("/api/queue/audit-events", guarded(post(audit::enqueue))?)
        .with_state(queue))
}

/// The routes' documentation.
#[derive(Debug, OpenApi)]
#[openapi(
    paths(
        emails::enqueue,
        bulk::enqueue,
        notifications::enqueue,
        bulk_notifications::enqueue,
        audit::enqueue
    ),
    components(schemas(Accepted, AcceptedBatch))
)]
pub struct Documentation;
