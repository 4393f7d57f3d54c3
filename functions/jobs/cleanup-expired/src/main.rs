//! `POST /api/jobs/cleanup-expired`: removes what is no longer needed.
//!
//! Called by QStash, signed, on a schedule. Removes rows in Postgres and objects of temporary files in batches; looks at
//! the keys of Redis and removes none. What does not fit into one delivery goes on in the next, and one task's failure
//! stops no other. Audit events and signing requests go by retention alone.

mod cleaner;
mod evidence;
mod files;
mod signed;

use cleaner::{Cleaner, Wanted};
use serde_json::{Value, json};
use shared::edge::job::{Attempt, Work, Worker};
use shared::edge::{Fatal, start};
use shared::protocol::upstash::Redis;
use shared::service::housekeeping::Task;
use shared::service::job::{JobType, Stop};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let cleaner = Cleaner::from_env(&redis)?;
    let worker = Worker::from_env(JobType::CleanupExpired, &redis)?
        .telling("cleanupTasks", &json!(Task::ALL))
        .telling("retentionPolicies", &Task::policies(cleaner.retention_days));
    redis.connect().await;
    worker.serve(&cleaner).await
}

impl Work for Cleaner {
    type Payload = Wanted;

    async fn run(&self, attempt: &Attempt<'_>, wanted: Wanted) -> Result<Value, Stop> {
        self.clean(attempt, &wanted).await
    }
}
