//! `GET /api/queue/batches/{batchId}`: where the jobs of a batch are.

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

use crate::Desk;

/// The longest batch id that is looked up.
const LONGEST_ID: usize = 320;

/// Which batch.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub struct Id {
    /// The `batchId` that a bulk was answered with, or another label that jobs have in common.
    #[param(min_length = 1, max_length = 320)]
    batch_id: String,
}

/// Where the jobs of a batch are.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Batch {
    /// The batch.
    #[serde(rename = "batchId")]
    id: String,
    /// Its jobs.
    jobs: u64,
    /// How many have each status; `gone` are those whose records have run out.
    statuses: BTreeMap<String, u64>,
    /// Whether none of them is going to run any more.
    finished: bool,
}

/// How far a batch is.
///
/// Kept for 30 days after its last job was recorded.
#[utoipa::path(
    get,
    operation_id = "getBatch",
    path = "/api/queue/batches/{batchId}",
    tag = "jobs",
    params(Id, Caller),
    responses(
        (status = 200, description = "Its jobs by status", body = Batch),
        (
            status = 404,
            description = "No such batch, or not yours to see",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    Path(Id { batch_id }): Path<Id>,
) -> Result<Json<Batch>> {
    let batch_id = identity::id(&batch_id);
    let statuses = if batch_id.len() > LONGEST_ID {
        BTreeMap::new()
    } else {
        desk.jobs.batch(&batch_id, caller.sight()).await?
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
