//! `/api/cache`: what the web app keeps in Postgres, read through caches in Redis.
//!
//! Called by the web app, with the service token; a user sees own things and those to be signed, a domain administrator
//! those of the domain. Reads Postgres where nothing is cached, once for all instances; reads, fills and takes away
//! entries in Redis. The database's own triggers take away what has changed, through relay-outbox.

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
