//! `GET /api/queue/jobs`: a page of jobs, newest first.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::edge::documented::GuardProblems;
use shared::edge::input::Query;
use shared::edge::page::Limit;
use shared::edge::{Caller, Result};
use shared::service::job::{Filter, Job, JobType, Status};

use crate::AppState;

/// Filters for jobs, and the page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only jobs of this type.
    #[serde(rename = "type")]
    job: Option<JobType>,
    /// Only jobs in this status.
    status: Option<Status>,
    /// Only jobs with this label, such as a batch id.
    label: Option<String>,
    /// Jobs per page: 1 to 100, default 20.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// The `cursor` of the previous page.
    cursor: Option<String>,
}

/// A page of jobs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct JobPage {
    /// The jobs, newest first.
    items: Vec<Job>,
    /// The cursor of the next page; absent on the last page. A page may be short or empty and still have a next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// List jobs
///
/// Lists the newest thousand jobs of each type, newest first. Users see their own jobs, domain administrators those of
/// their domain.
#[utoipa::path(
    get,
    operation_id = "listJobs",
    path = "/api/queue/jobs",
    tag = "jobs",
    params(ListQuery, Caller),
    responses(
        (status = 200, description = "A page of jobs", body = JobPage),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<JobPage>> {
    let page = state
        .jobs
        .list(&Filter {
            job: query.job,
            status: query.status,
            label: query.label,
            viewer: caller.job_viewer(),
            limit: query.limit.items(),
            cursor: query.cursor,
        })
        .await?;
    Ok(Json(JobPage {
        items: page.items,
        cursor: page.cursor,
    }))
}
