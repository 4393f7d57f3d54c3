//! `POST /api/jobs/audit-log`: appends audit events to their chains.
//!
//! Called by QStash, signed. Writes the event to Postgres under its own id or the job's id, so that a repeated delivery
//! appends nothing. Claims the job's record in Redis before the work and commits it after. An outage is retried; an
//! event that the log can never accept is rejected.

use serde_json::{Value, json};
use shared::edge::job::{Attempt, Work, Worker};
use shared::edge::{Fatal, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Redis;
use shared::service::audit::{ACTIONS, Audit, Error, Event, RESOURCE_TYPES};
use shared::service::job::{JobType, Stop};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let worker = Worker::from_env(JobType::AuditLog, &redis)?
        .with_detail("supportedActions", &json!(ACTIONS))
        .with_detail("supportedResourceTypes", &json!(RESOURCE_TYPES));
    let handler = AuditLogHandler(Audit::new(Postgres::from_env()?));
    redis.connect().await;
    worker.serve(&handler).await
}

/// Appends events to the log.
struct AuditLogHandler(Audit);

impl Work for AuditLogHandler {
    type Payload = Event;

    async fn run(&self, attempt: &Attempt<'_>, event: Event) -> Result<Value, Stop> {
        let event_id = event.event_id.as_ref();
        let event_id = event_id
            .map_or(attempt.job_id(), |id| id.as_str())
            .to_owned();
        let appended = self.0.append(&event_id, &event).await;
        let appended = appended.map_err(|error| match error {
            Error::Refused(_) => Stop::reject(error),
            Error::Postgres(_) | Error::Unreadable => Stop::retry(error),
        })?;
        Ok(json!({
            "auditLogCreated": true,
            "eventId": appended.event_id,
            "chain": appended.chain,
            "sequence": appended.sequence,
        }))
    }
}
