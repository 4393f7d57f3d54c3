//! Marks the job of a failed message as dead.

use std::time::Duration;

use serde_json::json;
use shared::base::causes::causes;
use shared::base::clock::Clock;
use shared::edge::metrics::Figure;
use shared::edge::webhook::{Call, DeliveryHandler, Outcome};
use shared::service::job::{FAILURE_HANDLER, Failed, FailedMessage, Jobs};

use crate::callback::FailureCallback;

/// The delay before QStash repeats the callback while Redis is unavailable.
const OUTAGE_WAIT: Duration = Duration::from_secs(30);

/// Marks jobs as dead.
pub(crate) struct FailureCallbackHandler {
    pub(crate) jobs: Jobs,
    pub(crate) clock: Clock,
}

impl DeliveryHandler for FailureCallbackHandler {
    async fn handle(&self, call: &Call) -> Outcome {
        let callback: FailureCallback = match call.body.decode() {
            Ok(callback) => callback,
            Err(error) => return Outcome::Reject(error.to_string()),
        };
        let message = FailedMessage::from(callback);
        let job_id = message.job_id();
        if message.job().is_some() {
            call.delivers(&job_id);
        }
        match self.jobs.mark_dead(&message).await {
            Ok(None) => Outcome::Reject("no job handler has this URL".into()),
            Ok(Some(Failed::Dead)) => {
                // The reason quotes the response, which is foreign text: it goes into the record, not into the log.
                Figure::DeadJobs(1).emit(FAILURE_HANDLER, self.clock.now());
                tracing::warn!(
                    last_status = message.status,
                    "job marked dead: QStash gave up delivering it"
                );
                Outcome::Ack(json!({ "success": true, "jobId": job_id, "status": "dead" }))
            }
            Ok(Some(Failed::Kept)) => {
                Outcome::Ack(json!({ "success": true, "jobId": job_id, "kept": true }))
            }
            Ok(Some(Failed::Busy(left))) => {
                Outcome::Retry(left, "an attempt is still running".into())
            }
            Err(error) => {
                tracing::error!(
                    error = causes(&error),
                    "job not marked dead; QStash repeats the failure callback"
                );
                Outcome::Retry(OUTAGE_WAIT, "the job record is unavailable".into())
            }
        }
    }
}
