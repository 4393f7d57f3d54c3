//! `GET /api/queue/stats`: the figures of every type.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use shared::edge::Result;
use shared::edge::documented::GuardProblems;
use shared::service::job::Stats;

use crate::Desk;

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
pub async fn show(State(desk): State<Desk>) -> Result<Json<BTreeMap<&'static str, Stats>>> {
    let stats = desk.jobs.stats(desk.clock.now()).await?;
    Ok(Json(
        stats
            .into_iter()
            .map(|(job, stats)| (job.name(), stats))
            .collect(),
    ))
}
