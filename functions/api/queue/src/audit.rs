//! `POST /api/queue/audit-events`: one audit event, appended by a job.

use axum::extract::State;
use serde::Serialize;
use shared::edge::input::{self, invalid};
use shared::edge::{Caller, Result};
use shared::service::audit::{Event, EventTime};
use shared::service::job::{JobType, Priority};

use crate::Queue;
use crate::accepted::Accepted;
use crate::idempotency::IdempotencyKey;
use crate::request::EnqueueRequest;
use crate::timing::{ExclusiveDelay, Timing};

const ROUTE: &str = "/api/queue/audit-events";

/// The request body: an event, and when to append it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EnqueueAuditEvent {
    #[serde(flatten)]
    event: Event,
    #[serde(flatten)]
    timing: Timing,
    #[serde(flatten)]
    wait: ExclusiveDelay,
}

/// Enqueue an audit event
///
/// The event is appended once, even if the job is delivered again. `timestamp` defaults to the time of the call, and
/// `domain` to `X-User-Domain`.
#[utoipa::path(
    post,
    operation_id = "enqueueAuditEvent",
    path = "/api/queue/audit-events",
    tag = "queue",
    request_body = EnqueueAuditEvent,
    params(IdempotencyKey, Caller),
    responses(Accepted),
    security(("serviceToken" = []))
)]
pub async fn enqueue(State(queue): State<Queue>, request: EnqueueRequest) -> Result<Accepted> {
    let mut event: Event = input::fit(&request.body.value)?;
    event
        .must_fit()
        .map_err(|error| invalid("", &error.to_string()))?;
    event.timestamp.get_or_insert(EventTime(queue.clock.now()));
    if event.domain.is_none() {
        let domain = request.caller.domain.clone();
        event.domain = domain.and_then(|domain| domain.try_into().ok());
    }
    queue
        .enqueue_one(
            JobType::AuditLog,
            ROUTE,
            &request,
            [event],
            Priority::Normal,
        )
        .await
}
