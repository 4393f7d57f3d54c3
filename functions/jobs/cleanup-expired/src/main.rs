//! `POST /api/jobs/cleanup-expired`: deletes data that is no longer needed.
//!
//! Called by QStash, signed, on a schedule. Deletes rows in Postgres and objects of temporary files in batches. Checks
//! the keys of Redis and deletes none. Work that does not fit into one delivery continues in the next, and a failed
//! task does not stop the others. Audit events and signing requests are deleted by retention only.

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
