//! `POST /api/queue/*`: the routes that put jobs into the queue.

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

/// What enqueuing needs: the records, the way to the queue, and the time that delays are counted from.
#[derive(Clone, Debug)]
pub struct Queue {
    /// The records of jobs.
    pub jobs: Jobs,
    /// The way to the queue.
    pub publisher: Publisher,
    /// Where delays are counted from.
    pub clock: Clock,
}

/// The routes, each behind the guard.
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
