//! `POST /api/jobs/relay-outbox`: does what the outbox in Postgres holds, and finds jobs that got lost on their way.
//!
//! Called by QStash, signed: every five minutes by schedule, at once when the web app pings it, and once
//! an hour to compare open jobs with the dead-letter queue. Claims rows of the outbox in Postgres, takes what they name out
//! of the caches in Redis, records their jobs there and publishes them at QStash. Makes good what outages left behind.
//! What does not fit into one run goes on in the next message.

mod apply;
mod dead_letters;
mod follow_up;
mod invalidations;
mod jobs;
mod outbox;
mod relay;
mod unclaimed;

use invalidations::Invalidator;
use relay::{Relay, Task};
use serde_json::Value;
use shared::base::clock::Clock;
use shared::edge::job::{Attempt, Work, Worker};
use shared::edge::{Fatal, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::qstash;
use shared::protocol::upstash::Redis;
use shared::service::job::{JobType, Jobs, Publisher, Stop};
use shared::service::outbox::Outbox;
use shared::service::outbox::job_relay::JobRelay;
use shared::service::security::Reconciler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let worker = Worker::from_env(JobType::RelayOutbox, &redis)?.supporting(&Task::NAMES);
    let postgres = Postgres::from_env()?;
    let relay = Relay {
        outbox: Outbox::new(postgres.clone()),
        invalidator: Invalidator(redis.clone()),
        jobs: JobRelay {
            jobs: Jobs::new(redis.clone()),
            publisher: Publisher::from_env()?,
        },
        security: Reconciler::new(redis.clone(), postgres),
        qstash: qstash::Client::from_env()?,
        clock: Clock::system(),
    };
    redis.connect().await;
    worker.serve(&relay).await
}

impl Work for Relay {
    type Payload = Task;

    async fn run(&self, attempt: &Attempt<'_>, task: Task) -> Result<Value, Stop> {
        self.perform(task, attempt.deadline()).await
    }
}
