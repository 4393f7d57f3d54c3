//! `PUT /api/queue/pauses/{type}`: the kill switch of the person on call.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, Path};
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Problem, Result};
use shared::service::job::{JobType, Sight};

use crate::Desk;

/// Whether a type of job, or one tenant's share of it, is held back.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Pause {
    /// True holds jobs back, false lets them go.
    paused: bool,
    /// Whose jobs: a domain, or a user without one. Without it, everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 320)]
    tenant: Option<String>,
}

/// The longest tenant, in characters: as long as the headers that name one.
const LONGEST_TENANT: usize = 320;

/// Pause a type of job, or let it go on.
///
/// While it is paused, enqueuing answers 503 and deliveries are put off, five minutes at a time, without a retry being
/// spent. What runs already ends as it would.
#[utoipa::path(
    put,
    operation_id = "pauseJobs",
    path = "/api/queue/pauses/{type}",
    tag = "jobs",
    params(("type" = JobType, Path, description = "A type of job"), Caller),
    request_body = Pause,
    responses(
        (status = 200, description = "As it is now", body = Pause),
        (
            status = 404,
            description = "No such type of job",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn put(
    State(desk): State<Desk>,
    caller: Caller,
    Path(job): Path<String>,
    input::Json { value: pause, .. }: input::Json<Pause>,
) -> Result<Json<Pause>> {
    if caller.sight() != Sight::ALL {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "admin_required",
            "Only the service itself and administrators pause jobs.",
        ));
    }
    let job: JobType = job.parse().map_err(|_| unknown())?;
    let tenant = pause.tenant.as_deref();
    if tenant.is_some_and(|tenant| !(1..=LONGEST_TENANT).contains(&tenant.chars().count())) {
        return Err(input::invalid("/tenant", "is 1 to 320 characters"));
    }
    desk.jobs.pause(job, tenant, pause.paused).await?;
    tracing::warn!(
        %job,
        paused = pause.paused,
        one_tenant = tenant.is_some(),
        "job type paused or resumed by a caller"
    );
    Ok(Json(pause))
}

fn unknown() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "job_type_unknown",
        "There is no such type of job.",
    )
}
