//! `POST /api/jobs/persist-session`: writes to Postgres what was decided of sessions while it was away.
//!
//! Called by QStash, signed. What is newer in Postgres stays, and what was revoked there stays revoked, so a message may
//! come late, out of order or twice. Redis is told as well: it may have been lost in between. The job's record in Redis
//! is claimed before and committed after.

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

/// Writes down.
struct PersistSessionHandler(Sessions);

impl Work for PersistSessionHandler {
    type Payload = Intent;

    async fn run(&self, _: &Attempt<'_>, intent: Intent) -> Result<Value, Stop> {
        self.0.settle(&intent).await.map_err(Stop::retry)?;
        Ok(json!({ "persisted": true }))
    }
}
