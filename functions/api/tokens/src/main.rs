//! `/api/tokens` and `/api/totp/claims`: one-time tokens, issued and redeemed, and codes that are good once.
//!
//! Called by the web app with the service token. Everything is in Redis, one request each; when it does not answer
//! nothing is issued, redeemed or claimed.

use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::upstash::Redis;
use shared::service::token::Tokens;
use tokens::router;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let guard = Guard::from_env()?;
    let redis = Redis::from_env()?;
    redis.connect().await;
    let router = router(Tokens::new(redis.clone()), &guard);
    api::serve("tokens", router, redis.usage().clone()).await
}
