//! `POST /api/jobs/job-failed`: takes QStash's word that a message was given up.
//!
//! Called by QStash, signed, once the retries of a job's message ran out or its handler said never. Marks the job's
//! record in Redis dead, with the reason; from there a person redrives it. A record that knows better is left alone.

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

/// Whose failures it takes.
fn job_types() -> Vec<&'static str> {
    JobType::ALL.iter().map(|job| job.name()).collect()
}
