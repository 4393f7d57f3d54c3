//! `GET /api/health/redis`: whether the back end and what it stands on are well.
//!
//! Called by monitors and the web app's status page, by anybody, and by a schedule. Asks Redis, Postgres and QStash
//! once each, at the same time; leaves nothing behind but the age of the oldest open job and of the
//! oldest row of the outbox, as metrics for alarms. The schedule asks for those figures alone.

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
