//! `/api/security/rate-limits`: checks a named limit for the web app, and reports allowed and rejected requests.
//!
//! Called by the web app, with the service token. Reads and writes the counters of @upstash/ratelimit in Redis.

use rate_limits::{AppState, router};
use shared::base::clock::Clock;
use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::upstash::Redis;
use shared::service::rate_limit::RateLimits;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let guard = Guard::from_env(&redis)?;
    let limits = RateLimits::new(redis.clone(), Clock::system());
    let state = AppState::from_env(limits, Clock::system())?;
    let router = router(state, &guard)?;
    redis.connect().await;
    api::serve("rate-limits", router, redis.usage().clone()).await
}
