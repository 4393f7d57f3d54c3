//! One job: look, cancel, redrive.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use shared::edge::documented::GuardProblems;
use shared::edge::input::Path;
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Problem, Result};
use shared::service::job::{Cancelled, Job, JobType, Outgoing, Redriven, Status};

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
    Ok(Json(desk.find(&caller, &id).await?))
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
    let job = desk.find(&caller, &id).await?;
    match desk.jobs.cancel(kind(&job)?, &job.job_id).await? {
        Cancelled::Done => Ok(Json(desk.find(&caller, &job.job_id).await?)),
        Cancelled::Refused(status) => Err(refused("job_not_cancellable", "cancelled", status)),
        Cancelled::Unknown => Err(not_found()),
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
    let job = desk.find(&caller, &id).await?;
    match desk.jobs.redrive(kind(&job)?, &job.job_id).await? {
        Redriven::Ready {
            generation,
            priority,
            tenant,
            payload,
        } => {
            let again = Outgoing {
                job_id: &job.job_id,
                job: kind(&job)?,
                generation,
                priority,
                tenant: &tenant,
                not_before: None,
                payload: &payload,
            };
            desk.publisher.publish(&[again]).await?;
            let job = desk.find(&caller, &job.job_id).await?;
            Ok((StatusCode::ACCEPTED, Json(job)))
        }
        Redriven::Refused(status) => Err(refused("job_not_retryable", "retried", status)),
        Redriven::Unknown => Err(not_found()),
    }
}

impl Desk {
    /// The job, if there is one and the caller may see it.
    async fn find(&self, caller: &Caller, id: &str) -> Result<Job> {
        if id.len() > LONGEST_ID {
            return Err(not_found());
        }
        let job = self.jobs.get(id).await?;
        job.filter(|job| caller.sees(job)).ok_or_else(not_found)
    }
}

/// The job's type. A record of a type that this version does not run can be looked at, not steered.
fn kind(job: &Job) -> Result<JobType> {
    job.job.parse().map_err(|_| {
        Problem::new(
            StatusCode::CONFLICT,
            "job_type_unknown",
            "No function runs jobs of this type.",
        )
    })
}

fn refused(code: &'static str, verb: &str, status: Status) -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        code,
        format!("A job that is {status} cannot be {verb}."),
    )
}
