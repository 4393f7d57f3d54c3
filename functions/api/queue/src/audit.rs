//! `POST /api/queue/audit-events`: one audit event, appended by a job.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, Json, invalid};
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Result};
use shared::service::audit::{Event, Happened};
use shared::service::job::{JobType, NewJob, Status};

use crate::Queue;
use crate::emails::Accepted;
use crate::enqueue::accepted;
use crate::idempotency::IdempotencyKey;
use crate::timing::{OneWait, Timing};

const ROUTE: &str = "/api/queue/audit-events";

/// The body: an event, and when it is to be appended.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EnqueueAuditEvent {
    #[serde(flatten)]
    event: Event,
    #[serde(flatten)]
    timing: Timing,
    #[serde(flatten)]
    wait: OneWait,
}

/// Enqueue an audit event.
///
/// It is appended once, however often the job is delivered. `timestamp` is the instant of this call, and `domain` is
/// `X-User-Domain`, where the body leaves them out.
#[utoipa::path(
    post,
    operation_id = "enqueueAuditEvent",
    path = "/api/queue/audit-events",
    tag = "queue",
    request_body = EnqueueAuditEvent,
    params(IdempotencyKey, Caller),
    responses(
        (
            status = 202,
            description = "Recorded and handed to the queue",
            body = Accepted,
            links(("job" = (operation_id = "getJob", parameters(("jobId" = "$response.body#/jobId")))))
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
    Json { value, bytes }: Json<Value>,
) -> Result<Response> {
    let mut event: Event = input::fit(&value)?;
    event
        .must_fit()
        .map_err(|error| invalid("", &error.to_string()))?;
    let timing: Timing = input::fit(&value)?;
    event.timestamp.get_or_insert(Happened(queue.clock.now()));
    if event.domain.is_none() {
        event.domain = caller
            .domain
            .clone()
            .and_then(|domain| domain.try_into().ok());
    }
    let order = queue.order(JobType::AuditLog, &caller, &timing, String::new())?;
    let job = NewJob::new(&event).map_err(shared::service::job::Error::from)?;
    let key = key.of(&caller, ROUTE, &bytes);
    let taken = queue.enqueue(&order, &[job], key.as_ref()).await?;
    Ok(accepted(&Accepted {
        job_id: taken.ids.into_iter().next().unwrap_or_default(),
        status: Status::Queued,
    }))
}
