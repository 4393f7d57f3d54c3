//! `/api/tokens` and `/api/totp/claims`: issues and redeems one-time tokens, and claims TOTP codes.
//!
//! Called by the web app with the service token. All state is in Redis, one request each. While Redis is unavailable,
//! nothing is issued, redeemed or claimed.

use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::upstash::Redis;
use shared::service::token::Tokens;
use tokens::router;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let guard = Guard::from_env(&redis)?;
    redis.connect().await;
    let router = router(Tokens::new(redis.clone()), &guard)?;
    api::serve("tokens", router, redis.usage().clone()).await
}
