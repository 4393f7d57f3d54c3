//! One job: look, cancel, redrive.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use shared::edge::documented::GuardProblems;
use shared::edge::input::Path;
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Problem, Result};
use shared::service::job::{Cancelled, Job, Outgoing, Redriven, Refusal};

use crate::{Desk, not_found};

/// The longest id that is looked up: QStash's message ids have some 60 characters.
const LONGEST_ID: usize = 128;

/// One job.
///
/// The id is the job's, or that of the QStash message that carried it.
#[utoipa::path(
    get,
    operation_id = "getJob",
    path = "/api/queue/jobs/{jobId}",
    tag = "jobs",
    params(("jobId" = String, Path, description = "A job id or a QStash message id")),
    responses(
        (status = 200, description = "The job", body = Job),
        (status = 404, description = "No such job, or not yours to see", body = ProblemDocument),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Job>> {
    let job = desk.jobs.get(known(&id)?).await?;
    let seen = job.filter(|job| caller.sight().has(job));
    seen.map(Json).ok_or_else(not_found)
}

/// Cancel a job that nobody runs.
#[utoipa::path(
    delete,
    operation_id = "cancelJob",
    path = "/api/queue/jobs/{jobId}",
    tag = "jobs",
    params(("jobId" = String, Path, description = "A job id or a QStash message id")),
    responses(
        (status = 200, description = "The job, cancelled", body = Job),
        (status = 404, description = "No such job, or not yours to see", body = ProblemDocument),
        (status = 409, description = "It is running or has ended", body = ProblemDocument),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn cancel(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Job>> {
    match desk.jobs.cancel(known(&id)?, caller.sight()).await? {
        Cancelled::Done(job) => Ok(Json(*job)),
        Cancelled::Not(refusal) => Err(refused(refusal, "job_not_cancellable", "cancelled")),
    }
}

/// Redrive a job that is dead, failed, deferred or cancelled.
///
/// It is published again under a new generation; what of it was done before is not done twice.
#[utoipa::path(
    post,
    operation_id = "retryJob",
    path = "/api/queue/jobs/{jobId}/retry",
    tag = "jobs",
    params(("jobId" = String, Path, description = "A job id or a QStash message id")),
    responses(
        (status = 202, description = "The job, queued again", body = Job),
        (status = 404, description = "No such job, or not yours to see", body = ProblemDocument),
        (status = 409, description = "It is running or completed", body = ProblemDocument),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn retry(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Job>)> {
    match desk.jobs.redrive(known(&id)?, caller.sight()).await? {
        Redriven::Ready {
            generation,
            payload,
            job,
        } => {
            let again = Outgoing {
                job_id: &job.job_id,
                job: job.job.parse().map_err(|_| foreign())?,
                generation,
                priority: job.priority,
                tenant: &job.tenant,
                not_before: None,
                payload: &payload,
            };
            desk.publisher.publish(&[again]).await?;
            Ok((StatusCode::ACCEPTED, Json(*job)))
        }
        Redriven::Not(refusal) => Err(refused(refusal, "job_not_retryable", "retried")),
    }
}

/// An id that a job can have.
fn known(id: &str) -> Result<&str> {
    if id.len() > LONGEST_ID {
        return Err(not_found());
    }
    Ok(id)
}

fn refused(refusal: Refusal, code: &'static str, verb: &str) -> Problem {
    match refusal {
        Refusal::Unknown => not_found(),
        Refusal::Foreign => foreign(),
        Refusal::Status(status) => Problem::new(
            StatusCode::CONFLICT,
            code,
            format!("A job that is {status} cannot be {verb}."),
        ),
    }
}

/// A record of a type that this version does not run can be looked at, not steered.
fn foreign() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "job_type_unknown",
        "No function runs jobs of this type.",
    )
}
