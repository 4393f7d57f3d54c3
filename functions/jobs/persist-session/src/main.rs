//! `POST /api/jobs/persist-session`: writes session changes to Postgres that were made while Postgres was unavailable.
//!
//! Called by QStash, signed. Newer data in Postgres is kept, and a session revoked there stays revoked. So a message
//! may arrive late, out of order or twice. The change is also written to Redis, which may have lost it in between.
//! Claims the job's record in Redis before the work and commits it after.

use serde_json::{Value, json};
use shared::edge::job::{Attempt, Work, Worker};
use shared::edge::{Fatal, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Redis;
use shared::service::job::{JobType, Publisher, Stop};
use shared::service::session::{Intent, Sessions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let worker = Worker::from_env(JobType::PersistSession, &redis)?;
    let sessions = Sessions::new(redis.clone(), Postgres::from_env()?, Publisher::from_env()?);
    redis.connect().await;
    worker.serve(&PersistSessionHandler(sessions)).await
}

/// Writes session changes to Postgres.
struct PersistSessionHandler(Sessions);

impl Work for PersistSessionHandler {
    type Payload = Intent;

    async fn run(&self, _: &Attempt<'_>, intent: Intent) -> Result<Value, Stop> {
        self.0.settle(&intent).await.map_err(Stop::retry)?;
        Ok(json!({ "persisted": true }))
    }
}
