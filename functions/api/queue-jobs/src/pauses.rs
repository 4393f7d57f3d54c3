//! `PUT /api/queue/pauses/{type}`: pauses and resumes a job type.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, Path};
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Problem, Result};
use shared::service::job::{JobType, Viewer};

use crate::AppState;

/// Whether a job type, or one tenant's share of it, is paused.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Pause {
    /// True pauses jobs, false resumes them.
    paused: bool,
    /// The tenant: a domain, or a user without a domain. All tenants if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 320)]
    tenant: Option<String>,
}

/// The longest tenant, in characters: the same as in the headers that name one.
const MAX_TENANT_LEN: usize = 320;

/// Pause or resume jobs
///
/// While a type is paused, enqueuing answers 503. Deliveries are deferred by five minutes at a time, without spending a
/// retry. Running jobs finish as usual.
#[utoipa::path(
    put,
    operation_id = "pauseJobs",
    path = "/api/queue/pauses/{type}",
    tag = "jobs",
    params(("type" = JobType, Path, description = "The job type"), Caller),
    request_body = Pause,
    responses(
        (status = 200, description = "The current state", body = Pause),
        (
            status = 404,
            description = "Unknown job type",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn put(
    State(state): State<AppState>,
    caller: Caller,
    Path(job): Path<String>,
    input::Json { value: pause, .. }: input::Json<Pause>,
) -> Result<Json<Pause>> {
    if caller.job_viewer() != Viewer::ALL {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "admin_required",
            "Administrator role required.",
        ));
    }
    let job: JobType = job.parse().map_err(|_| unknown())?;
    let tenant = pause.tenant.as_deref();
    if tenant.is_some_and(|tenant| !(1..=MAX_TENANT_LEN).contains(&tenant.chars().count())) {
        return Err(input::invalid(
            "/tenant",
            "must be 1 to 320 characters long",
        ));
    }
    state.jobs.pause(job, tenant, pause.paused).await?;
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
        "Unknown job type.",
    )
}
