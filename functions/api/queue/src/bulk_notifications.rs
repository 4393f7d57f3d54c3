//! `POST /api/queue/notifications/bulk`: many notifications, a job for every hundred.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};
use shared::base::id;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, Json, invalid};
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Result};
use shared::service::job::{Error, JobType, NewJob};
use shared::service::notification::{Bulk, Notification};
use utoipa::ToSchema;

use crate::Queue;
use crate::bulk::AcceptedBatch;
use crate::enqueue::accepted;
use crate::idempotency::IdempotencyKey;
use crate::notifications::notification;
use crate::timing::{OneWait, Timing};

const ROUTE: &str = "/api/queue/notifications/bulk";

/// The body: the notifications, and when they are to be sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnqueueBulkNotifications {
    #[serde(flatten)]
    bulk: Bulk,
    #[serde(flatten)]
    timing: Timing,
    #[serde(flatten)]
    wait: OneWait,
}

/// Enqueue many notifications.
///
/// One job for every hundred; each user gets each notification once, also when a job is interrupted.
#[utoipa::path(
    post,
    operation_id = "enqueueBulkNotifications",
    path = "/api/queue/notifications/bulk",
    tag = "queue",
    request_body = EnqueueBulkNotifications,
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
        members.insert("type".into(), json!("bulk_notification"));
    }
    let Notification::BulkNotification(bulk) = notification(&value)? else {
        return Err(invalid("/type", "is bulk_notification on this route"));
    };
    let timing: Timing = input::fit(&value)?;
    let order = queue.order(JobType::Notification, &caller, &timing, id::sortable())?;
    let jobs: Vec<NewJob> = bulk
        .split()
        .into_iter()
        .map(|part| NewJob::new(&Notification::BulkNotification(part)).map_err(Error::from))
        .collect::<std::result::Result<_, _>>()?;
    let key = key.of(&caller, ROUTE, &bytes);
    let taken = queue.enqueue(&order, &jobs, key.as_ref()).await?;
    Ok(accepted(&AcceptedBatch::of(taken)))
}
