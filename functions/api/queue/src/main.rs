//! `POST /api/queue/*`: enqueues jobs.
//!
//! Called by the web app with the service token. Writes a record for each job to Redis, then publishes its message to
//! QStash. Answers 202 with the ids of the jobs.

use queue::{Queue, router};
use shared::base::clock::Clock;
use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::upstash::Redis;
use shared::service::job::{Jobs, Publisher};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let guard = Guard::from_env(&redis)?;
    let queue = Queue {
        jobs: Jobs::new(redis.clone()),
        publisher: Publisher::from_env()?,
        clock: Clock::system(),
    };
    let router = router(queue, &guard)?;
    redis.connect().await;
    api::serve("queue", router, redis.usage().clone()).await
}
