//! `GET /api/queue/jobs`: a page of jobs, newest first.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::edge::documented::GuardProblems;
use shared::edge::input::Query;
use shared::edge::page::Limit;
use shared::edge::{Caller, Result};
use shared::service::job::{Filter, Job, JobType, Status};

use crate::Desk;

/// What the page is made of.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only this type.
    #[serde(rename = "type")]
    job: Option<JobType>,
    /// Only this status.
    status: Option<Status>,
    /// Only this label, such as a batch id.
    label: Option<String>,
    /// Jobs on the page, 1 to 100; 20 if absent.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// The `cursor` of the page before.
    cursor: Option<String>,
}

/// A page.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct JobPage {
    /// The jobs, newest first.
    items: Vec<Job>,
    /// Where the next page goes on; absent on the last one. A page may be short, even empty, and still have a next.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// Jobs, newest first.
///
/// Of the newest thousand of each type. A user sees own jobs, a domain administrator those of the domain.
#[utoipa::path(
    get,
    operation_id = "listJobs",
    path = "/api/queue/jobs",
    tag = "jobs",
    params(Wanted, Caller),
    responses(
        (status = 200, description = "A page", body = JobPage),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<JobPage>> {
    let page = desk
        .jobs
        .list(&Filter {
            job: wanted.job,
            status: wanted.status,
            label: wanted.label,
            sight: caller.sight(),
            limit: wanted.limit.items(),
            cursor: wanted.cursor,
        })
        .await?;
    Ok(Json(JobPage {
        items: page.items,
        cursor: page.cursor,
    }))
}
