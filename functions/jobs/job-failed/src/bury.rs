//! Marking the job dead whose message was given up.

use std::time::Duration;

use serde_json::json;
use shared::base::clock::Clock;
use shared::edge::metrics::Figure;
use shared::edge::webhook::{Answer, Call, Take};
use shared::service::job::{FAILURE_HANDLER, Failed, Incoming, Jobs};

use crate::callback::FailureCallback;

/// How soon the word is to come again when the store does not answer.
const OUTAGE_WAIT: Duration = Duration::from_secs(30);

/// Marks jobs dead.
pub(crate) struct Undertaker {
    pub(crate) jobs: Jobs,
    pub(crate) clock: Clock,
}

impl Take for Undertaker {
    async fn take(&self, call: &Call) -> Answer {
        let callback: FailureCallback = match call.body.decode() {
            Ok(callback) => callback,
            Err(error) => return Answer::Never(error.to_string()),
        };
        let Some(job) = callback.job() else {
            return Answer::Never("no job is delivered to that url".into());
        };
        let tracking = callback.tracking();
        let payload = callback.payload().unwrap_or_default();
        let message_id = &callback.source_message_id;
        let incoming = Incoming {
            job_id: tracking.job_id.as_ref().unwrap_or(message_id),
            job,
            message_id,
            generation: tracking.generation.unwrap_or(1),
            payload: &payload,
        };
        call.delivers(incoming.job_id);
        let reason = callback.reason();
        match self.jobs.fail(incoming, &reason).await {
            Ok(Failed::Dead) => {
                // The reason quotes what was answered, whoever answered: it stands in the record and not in the log.
                Figure::DeadJobs(1).emit(FAILURE_HANDLER, self.clock.now());
                tracing::warn!(last_status = callback.status, "a job is dead");
                Answer::Done(json!({ "success": true, "jobId": incoming.job_id, "status": "dead" }))
            }
            Ok(Failed::Kept) => {
                Answer::Done(json!({ "success": true, "jobId": incoming.job_id, "kept": true }))
            }
            Ok(Failed::Busy(left)) => Answer::Again(left, "an attempt still runs".into()),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot mark dead");
                Answer::Again(OUTAGE_WAIT, "the job's record cannot be reached".into())
            }
        }
    }
}
