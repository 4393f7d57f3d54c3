//! `/api/queue/jobs`, `/batches`, `/stats`, `/pauses` and `/schedules`: lists, cancels, redrives and pauses jobs, and
//! registers schedules.
//!
//! Called by the web app and the person on call, with the service token. Reads and writes job records in Redis.
//! Redriving publishes messages to QStash, which also holds the schedules.

use queue_jobs::{AppState, router};
use shared::base::clock::Clock;
use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::upstash::Redis;
use shared::service::job::{Jobs, Publisher};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let guard = Guard::from_env(&redis)?;
    let state = AppState {
        jobs: Jobs::new(redis.clone()),
        publisher: Publisher::from_env()?,
        clock: Clock::system(),
    };
    let router = router(state, &guard)?;
    redis.connect().await;
    api::serve("queue-jobs", router, redis.usage().clone()).await
}
