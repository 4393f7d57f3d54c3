//! `/api/queue/jobs`, `/batches`, `/stats`, `/pauses` and `/schedules`: looking at jobs, cancelling, redriving and
//! pausing them, and what runs by the clock.

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

/// What the routes need: the records, the way to the queue, and the present.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The records of jobs.
    pub jobs: Jobs,
    /// The way to the queue, for redriving.
    pub publisher: Publisher,
    /// The present, for the age of the oldest open job.
    pub clock: Clock,
}

/// The routes, each behind the guard.
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

/// There is no such job, or the caller may not see it: the two are not told apart.
fn not_found() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "job_not_found",
        "Job not found. Records are kept for 7 days after the last retry, or 30 days for dead jobs.",
    )
}
