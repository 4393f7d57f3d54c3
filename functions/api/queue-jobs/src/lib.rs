//! `/api/queue/jobs`, `/batches`, `/stats`, `/pauses` and `/schedules`: lists, cancels, redrives and pauses jobs, and
//! manages schedules.

pub mod batches;
pub mod bulk;
pub mod job;
pub mod jobs;
pub mod pauses;
pub mod schedules;
pub mod stats;

use axum::Router;
use axum::routing::{get, post, put};
use http::StatusCode;
use shared::base::clock::Clock;
use shared::base::env;
use shared::edge::{Guard, Problem, limiter};
use shared::service::job::{JobType, Jobs, Publisher};
use utoipa::OpenApi;

/// The state of the routes: job records, the publisher and the clock.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The records of jobs.
    pub jobs: Jobs,
    /// Publishes redriven jobs.
    pub publisher: Publisher,
    /// The clock, for the age of the oldest open job.
    pub clock: Clock,
}

/// Returns the routes, each behind the guard.
pub fn router(state: AppState, guard: &Guard) -> Result<Router, env::Error> {
    let guarded = |methods| guard.service(limiter::API, methods);
    let one = get(job::show).delete(job::cancel);
    Ok(Router::new()
        .route("/api/queue/jobs", guarded(get(jobs::list))?)
        .route("/api/queue/jobs/{jobId}", guarded(one)?)
        .route("/api/queue/jobs/{jobId}/retry", guarded(post(job::retry))?)
        .route("/api/queue/jobs/retry", guarded(post(bulk::retry))?)
        .route("/api/queue/jobs/cancel", guarded(post(bulk::cancel))?)
        .route("/api/queue/batches/{batchId}", guarded(get(batches::show))?)
        .route(
            "/api/queue/schedules",
            guarded(get(schedules::list).put(schedules::put))?,
        )
        .route("/api/queue/stats", guarded(get(stats::show))?)
        .route("/api/queue/pauses/{type}", guarded(put(pauses::put))?)
        .with_state(state))
}

/// The routes' documentation.
#[derive(Debug, OpenApi)]
#[openapi(
    paths(
        jobs::list,
        job::show,
        job::cancel,
        job::retry,
        bulk::retry,
        bulk::cancel,
        batches::show,
        schedules::list,
        schedules::put,
        stats::show,
        pauses::put
    ),
    components(schemas(JobType))
)]
pub struct Documentation;

/// Returns 404. The response is the same if the job does not exist and if the caller may not see it.
fn not_found() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "job_not_found",
        "Job not found. Records are kept for 7 days after the last retry, or 30 days for dead jobs.",
    )
}
