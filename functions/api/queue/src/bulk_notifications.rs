//! `POST /api/queue/notifications/bulk`: many notifications, in one job per hundred.

use axum::extract::State;
use serde::Serialize;
use serde_json::json;
use shared::edge::input::invalid;
use shared::edge::{Caller, Result};
use shared::service::job::JobType;
use shared::service::notification::{Bulk, Notification};
use utoipa::ToSchema;

use crate::Queue;
use crate::accepted::AcceptedBatch;
use crate::idempotency::IdempotencyKey;
use crate::notifications::notification;
use crate::request::EnqueueRequest;
use crate::timing::{ExclusiveDelay, Timing};

const ROUTE: &str = "/api/queue/notifications/bulk";

/// The request body: the notifications, and when to send them.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnqueueBulkNotifications {
    #[serde(flatten)]
    bulk: Bulk,
    #[serde(flatten)]
    timing: Timing,
    #[serde(flatten)]
    wait: ExclusiveDelay,
}

/// Enqueue bulk notifications
///
/// Creates one job per hundred notifications. Each user gets each notification once, even if a job is interrupted.
#[utoipa::path(
    post,
    operation_id = "enqueueBulkNotifications",
    path = "/api/queue/notifications/bulk",
    tag = "queue",
    request_body = EnqueueBulkNotifications,
    params(IdempotencyKey, Caller),
    responses(AcceptedBatch),
    security(("serviceToken" = []))
)]
pub async fn enqueue(
    State(queue): State<Queue>,
    mut request: EnqueueRequest,
) -> Result<AcceptedBatch> {
    if let Some(members) = request.body.value.as_object_mut() {
        members.insert("type".into(), json!("bulk_notification"));
    }
    let Notification::BulkNotification(bulk) = notification(&request.body.value)? else {
        return Err(invalid("/type", "must be bulk_notification on this route"));
    };
    let parts = bulk.split().into_iter();
    let parts = parts.map(Notification::BulkNotification);
    queue
        .enqueue_batch(JobType::Notification, ROUTE, &request, parts)
        .await
}
