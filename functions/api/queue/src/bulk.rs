//! `POST /api/queue/emails/bulk`: one mail to each of many signers, a job for every hundred.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};
use shared::base::id;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, Json, invalid};
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Result};
use shared::service::email::{Bulk, Email};
use shared::service::job::{Error, JobType, NewJob};

use crate::Queue;
use crate::emails::email;
use crate::enqueue::{Taken, accepted};
use crate::idempotency::IdempotencyKey;
use crate::timing::{OneWait, Timing};

const ROUTE: &str = "/api/queue/emails/bulk";

/// A batch that was taken.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedBatch {
    /// The label of all its jobs: `GET /api/queue/jobs?label={batchId}` lists them.
    batch_id: String,
    /// The jobs, in the order of what they carry.
    job_ids: Vec<String>,
}

impl AcceptedBatch {
    /// The answer to a request for many.
    pub(crate) fn of(taken: Taken) -> Self {
        Self {
            batch_id: taken.label,
            job_ids: taken.ids,
        }
    }
}

/// The body: the mail, its recipients, and when it is to be sent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EnqueueBulk {
    #[serde(flatten)]
    bulk: Bulk,
    #[serde(flatten)]
    timing: Timing,
    #[serde(flatten)]
    wait: OneWait,
}

/// Enqueue a mail to many signers.
///
/// One job for every hundred recipients; each recipient gets exactly one mail, also when a job is interrupted.
#[utoipa::path(
    post,
    operation_id = "enqueueBulkEmails",
    path = "/api/queue/emails/bulk",
    tag = "queue",
    request_body = EnqueueBulk,
    params(IdempotencyKey, Caller),
    responses(
        (
            status = 202,
            description = "Recorded and handed to the queue",
            body = AcceptedBatch,
            links(
                ("jobs" = (operation_id = "listJobs", parameters(("label" = "$response.body#/batchId")))),
                ("firstJob" = (operation_id = "getJob", parameters(("jobId" = "$response.body#/jobIds/0"))))
            )
        ),
        (
            status = 409,
            description = "The Idempotency-Key came before with another body",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn enqueue(
    State(queue): State<Queue>,
    caller: Caller,
    key: IdempotencyKey,
    Json { mut value, bytes }: Json<Value>,
) -> Result<Response> {
    if let Some(members) = value.as_object_mut() {
        members.insert("type".into(), json!("bulk"));
    }
    let Email::Bulk(bulk) = email(&value)? else {
        return Err(invalid("/type", "is bulk on this route"));
    };
    let timing: Timing = input::fit(&value)?;
    let order = queue.order(JobType::Email, &caller, &timing, id::sortable())?;
    let jobs: Vec<NewJob> = bulk
        .split()
        .into_iter()
        .map(|part| NewJob::new(&Email::Bulk(part)).map_err(Error::from))
        .collect::<std::result::Result<_, _>>()?;
    let key = key.of(&caller, ROUTE, &bytes);
    let taken = queue.enqueue(&order, &jobs, key.as_ref()).await?;
    Ok(accepted(&AcceptedBatch::of(taken)))
}
