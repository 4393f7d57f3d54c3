//! One job: get, cancel and redrive.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shared::base::identity;
use shared::edge::documented::GuardProblems;
use shared::edge::input::Path;
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Problem, Result};
use shared::service::job::{Cancelled, Job, Outgoing, Redriven, Refusal};

use crate::{AppState, not_found};

/// The longest accepted id. QStash message ids have about 60 characters.
const MAX_ID_LEN: usize = 128;

/// The job of a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub struct Id {
    /// A job id or a QStash message id.
    #[param(min_length = 1, max_length = 128)]
    job_id: String,
}

impl Id {
    /// Returns the id if it is a possible job id.
    fn parse(&self) -> Result<String> {
        if self.job_id.len() > MAX_ID_LEN {
            return Err(not_found());
        }
        Ok(identity::id(&self.job_id))
    }
}

/// Get a job
///
/// The id is a job id, or the id of a QStash message that carried the job.
#[utoipa::path(
    get,
    operation_id = "getJob",
    path = "/api/queue/jobs/{jobId}",
    tag = "jobs",
    params(Id, Caller),
    responses(
        (status = 200, description = "The job", body = Job),
        (
            status = 404,
            description = "Unknown job, or not visible to the caller",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn show(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Id>,
) -> Result<Json<Job>> {
    let job = state.jobs.get(&id.parse()?).await?;
    let seen = job.filter(|job| caller.job_viewer().has(job));
    seen.map(Json).ok_or_else(not_found)
}

/// Cancel a job
///
/// A job that is running or has ended cannot be cancelled.
#[utoipa::path(
    delete,
    operation_id = "cancelJob",
    path = "/api/queue/jobs/{jobId}",
    tag = "jobs",
    params(Id, Caller),
    responses(
        (status = 200, description = "The cancelled job", body = Job),
        (
            status = 404,
            description = "Unknown job, or not visible to the caller",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        (
            status = 409,
            description = "The job is running or has ended",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn cancel(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Id>,
) -> Result<Json<Job>> {
    match state.jobs.cancel(&id.parse()?, caller.job_viewer()).await? {
        Cancelled::Done(job) => Ok(Json(*job)),
        Cancelled::Refused(refusal) => Err(refused(refusal, "job_not_cancellable", "cancelled")),
    }
}

/// Redrive a job
///
/// Publishes a dead, failed, deferred or cancelled job again under a new generation. Completed parts are not repeated.
/// A requested delay that has not passed is kept.
#[utoipa::path(
    post,
    operation_id = "retryJob",
    path = "/api/queue/jobs/{jobId}/retry",
    tag = "jobs",
    params(Id, Caller),
    responses(
        (status = 202, description = "The job, queued again", body = Job),
        (
            status = 404,
            description = "Unknown job, or not visible to the caller",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        (
            status = 409,
            description = "The job is running or completed",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn retry(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Id>,
) -> Result<(StatusCode, Json<Job>)> {
    match state
        .jobs
        .redrive(&id.parse()?, caller.job_viewer())
        .await?
    {
        Redriven::Ready {
            generation,
            payload,
            not_before,
            job,
        } => {
            let again = Outgoing {
                job_id: &job.job_id,
                job: job.job.parse().map_err(|_| unknown_type())?,
                generation,
                priority: job.priority,
                tenant: &job.tenant,
                not_before,
                payload: &payload,
            };
            state.publisher.publish(&[again]).await?;
            Ok((StatusCode::ACCEPTED, Json(*job)))
        }
        Redriven::Refused(refusal) => Err(refused(refusal, "job_not_retryable", "retried")),
    }
}

fn refused(refusal: Refusal, code: &'static str, verb: &str) -> Problem {
    match refusal {
        Refusal::Unknown => not_found(),
        Refusal::Foreign => unknown_type(),
        Refusal::Status(status) => Problem::new(
            StatusCode::CONFLICT,
            code,
            format!("A job with status {status} cannot be {verb}."),
        ),
    }
}

/// Returns the rejection for a type that this version does not run. Such a record can be read but not changed.
fn unknown_type() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "job_type_unknown",
        "This job type has no handler.",
    )
}
