//! `GET /api/health/redis`: the health of the back end and its dependencies.
//!
//! Called by monitors, by the web app's status page and by a schedule; needs no authentication. Sends one request each
//! to Redis, Postgres and QStash, concurrently. Emits two metrics for alarms: the age of the oldest open job and of the
//! oldest outbox row. The schedule requests only those two figures.

use health::{AppState, router};
use shared::base::clock::Clock;
use shared::edge::{Fatal, PublicGuard, api, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::{qstash, upstash};
use shared::service::outbox::Outbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let state = AppState {
        redis: upstash::Redis::from_env()?,
        qstash: qstash::Client::from_env()?,
        outbox: Outbox::new(Postgres::from_env()?),
        clock: Clock::system(),
    };
    let redis = state.redis.clone();
    let router = router(state, &PublicGuard::from_env(&redis)?)?;
    redis.connect().await;
    api::serve("health", router, redis.usage().clone()).await
}
