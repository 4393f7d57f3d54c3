//! `POST /api/queue/emails/bulk`: one mail to each of many signers, in one job per hundred recipients.

use axum::extract::State;
use serde::Serialize;
use serde_json::json;
use shared::edge::input::invalid;
use shared::edge::{Caller, Result};
use shared::service::job::JobType;
use shared::service::mail::payload::{Bulk, Email};

use crate::Queue;
use crate::accepted::AcceptedBatch;
use crate::emails::email;
use crate::idempotency::IdempotencyKey;
use crate::request::EnqueueRequest;
use crate::timing::{ExclusiveDelay, Timing};

const ROUTE: &str = "/api/queue/emails/bulk";

/// The request body: the mail, its recipients, and when to send it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EnqueueBulk {
    #[serde(flatten)]
    bulk: Bulk,
    #[serde(flatten)]
    timing: Timing,
    #[serde(flatten)]
    wait: ExclusiveDelay,
}

/// Enqueue a bulk e-mail
///
/// Creates one job per hundred recipients. Each recipient gets exactly one mail, even if a job is interrupted.
#[utoipa::path(
    post,
    operation_id = "enqueueBulkEmails",
    path = "/api/queue/emails/bulk",
    tag = "queue",
    request_body = EnqueueBulk,
    params(IdempotencyKey, Caller),
    responses(AcceptedBatch),
    security(("serviceToken" = []))
)]
pub async fn enqueue(
    State(queue): State<Queue>,
    mut request: EnqueueRequest,
) -> Result<AcceptedBatch> {
    if let Some(members) = request.body.value.as_object_mut() {
        members.insert("type".into(), json!("bulk"));
    }
    let Email::Bulk(bulk) = email(&request.body.value)? else {
        return Err(invalid("/type", "must be bulk on this route"));
    };
    let parts = bulk.split().into_iter().map(Email::Bulk);
    queue
        .enqueue_batch(JobType::Email, ROUTE, &request, parts)
        .await
}
