//! `POST /api/jobs/relay-outbox`: relays the outbox in Postgres and republishes lost jobs.
//!
//! Called by QStash, signed: every five minutes by schedule, at once when the web app pings it, and once an hour to
//! compare open jobs with the dead-letter queue. Claims rows of the outbox in Postgres, invalidates cache entries in
//! Redis, records jobs there and publishes them at QStash. Also repairs the effects of outages. Work that does not fit
//! into one run continues in the next message.

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
