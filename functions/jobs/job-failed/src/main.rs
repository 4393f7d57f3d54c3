//! `POST /api/jobs/job-failed`: receives QStash's failure callbacks.
//!
//! Called by QStash, signed, after the retries of a job's message ran out or its handler rejected it. Marks the job's
//! record in Redis as dead, with the reason; a person can then redrive it. A record with a newer state is not changed.

mod callback;
mod handler;

use handler::FailureCallbackHandler;
use serde_json::json;
use shared::base::clock::Clock;
use shared::edge::webhook::Webhook;
use shared::edge::{Fatal, start};
use shared::protocol::qstash::Receiver;
use shared::protocol::upstash::Redis;
use shared::service::job::{FAILURE_HANDLER, JobType, Jobs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let webhook = Webhook {
        function: FAILURE_HANDLER,
        about: json!({ "service": "Job Failure Handler", "supportedTypes": job_types() }),
        receiver: Receiver::from_env()?,
        usage: redis.usage().clone(),
        clock: Clock::system(),
    };
    redis.connect().await;
    let handler = FailureCallbackHandler {
        jobs: Jobs::new(redis),
        clock: Clock::system(),
    };
    webhook.serve(&handler).await
}

/// Returns the job types whose failures it handles.
fn job_types() -> Vec<&'static str> {
    JobType::ALL.iter().map(|job| job.name()).collect()
}
