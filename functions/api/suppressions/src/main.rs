//! `/api/suppressions`: the addresses that get no mail.
//!
//! Called by the web app for its administrators and by the person on call, with the service token. An acting user must
//! be an administrator. Reads and writes the list in Postgres; counts requests in Redis.

use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Redis;
use shared::service::mail::suppression::Suppressions;
use suppressions::router;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let guard = Guard::from_env(&redis)?;
    let list = Suppressions::new(Postgres::from_env()?);
    let router = router(list, &guard)?;
    redis.connect().await;
    api::serve("suppressions", router, redis.usage().clone()).await
}
