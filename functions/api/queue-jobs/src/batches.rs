//! `GET /api/queue/batches/{batchId}`: the status of a batch's jobs.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::base::identity;
use shared::edge::documented::GuardProblems;
use shared::edge::input::Path;
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Problem, Result};

use crate::AppState;

/// The longest accepted batch id.
const MAX_ID_LEN: usize = 320;

/// The batch of a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub struct Id {
    /// The `batchId` of a bulk, or another label that jobs share.
    #[param(min_length = 1, max_length = 320)]
    batch_id: String,
}

/// The jobs of a batch by status.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Batch {
    /// The id of the batch.
    #[serde(rename = "batchId")]
    id: String,
    /// The number of jobs.
    jobs: u64,
    /// The number of jobs in each status; `gone` counts jobs whose records have expired.
    statuses: BTreeMap<String, u64>,
    /// Whether all jobs have ended.
    finished: bool,
}

/// Get a batch
///
/// A batch is kept for 30 days after its last job was recorded.
#[utoipa::path(
    get,
    operation_id = "getBatch",
    path = "/api/queue/batches/{batchId}",
    tag = "jobs",
    params(Id, Caller),
    responses(
        (status = 200, description = "The jobs of the batch by status", body = Batch),
        (
            status = 404,
            description = "Unknown batch, or not visible to the caller",
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
    Path(Id { batch_id }): Path<Id>,
) -> Result<Json<Batch>> {
    let batch_id = identity::id(&batch_id);
    let statuses = if batch_id.len() > MAX_ID_LEN {
        BTreeMap::new()
    } else {
        state.jobs.batch(&batch_id, caller.job_viewer()).await?
    };
    if statuses.is_empty() {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "batch_not_found",
            "Batch not found. Batches are kept for 30 days.",
        ));
    }
    let ended = ["completed", "dead", "cancelled", "gone"];
    Ok(Json(Batch {
        id: batch_id,
        jobs: statuses.values().sum(),
        finished: statuses.keys().all(|it| ended.contains(&it.as_str())),
        statuses,
    }))
}
