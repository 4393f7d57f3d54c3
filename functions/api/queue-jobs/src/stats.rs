//! `GET /api/queue/stats`: statistics of every job type.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use shared::edge::Result;
use shared::edge::documented::GuardProblems;
use shared::service::job::Stats;

use crate::AppState;

/// Get job statistics
///
/// Returns the statistics of every job type.
#[utoipa::path(
    get,
    operation_id = "getJobStats",
    path = "/api/queue/stats",
    tag = "jobs",
    responses(
        (status = 200, description = "The statistics by job type", body = BTreeMap<String, Stats>),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn show(State(state): State<AppState>) -> Result<Json<BTreeMap<&'static str, Stats>>> {
    let by_type = state.jobs.stats(state.clock.now()).await?;
    Ok(Json(
        by_type
            .into_iter()
            .map(|(job, figures)| (job.name(), figures))
            .collect(),
    ))
}
