//! `/api/cache`: data of the web app's Postgres tables, read through caches in Redis.
//!
//! Called by the web app, with the service token. A user sees own entries and requests to sign. A domain administrator
//! sees those of the domain. On a miss, one instance reads Postgres for all. Reads, fills and deletes entries in Redis.
//! Database triggers invalidate changed entries through relay-outbox.

use cache::router;
use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Redis;
use shared::service::cache::Caches;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let guard = Guard::from_env(&redis)?;
    let caches = Caches::new(redis.clone(), Postgres::from_env()?);
    let router = router(caches, &guard)?;
    redis.connect().await;
    api::serve("cache", router, redis.usage().clone()).await
}
