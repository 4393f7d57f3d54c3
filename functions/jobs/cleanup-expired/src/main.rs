//! `POST /api/jobs/cleanup-expired`: removes what is no longer needed.
//!
//! Called by QStash, signed, on a schedule. Removes rows in Postgres and objects of temporary files in batches; looks at
//! the keys of Redis and removes none. What does not fit into one delivery goes on in the next, and one task's failure
//! stops no other. Audit events and signing requests go by retention alone.

mod evidence;
mod files;
mod handler;
mod signed_documents;

use handler::{CleanupHandler, CleanupOptions};
use serde_json::{Value, json};
use shared::edge::job::{Attempt, Work, Worker};
use shared::edge::{Fatal, start};
use shared::protocol::upstash::Redis;
use shared::service::cleanup::Task;
use shared::service::job::{JobType, Stop};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let handler = CleanupHandler::from_env(&redis)?;
    let worker = Worker::from_env(JobType::CleanupExpired, &redis)?
        .with_detail("cleanupTasks", &json!(Task::ALL))
        .with_detail("retentionPolicies", &Task::policies(handler.retention_days));
    redis.connect().await;
    worker.serve(&handler).await
}

impl Work for CleanupHandler {
    type Payload = CleanupOptions;

    async fn run(&self, attempt: &Attempt<'_>, options: CleanupOptions) -> Result<Value, Stop> {
        self.clean(attempt, &options).await
    }
}
