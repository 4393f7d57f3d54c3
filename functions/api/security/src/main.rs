//! `/api/security`: records authentication attempts, assesses visitors, and manages the block list.
//!
//! Called by the web app with the service token. The block list is also used by its administrators and the person on
//! call. Counts in Redis. Writes the block list, security events, audit jobs and mails to owners to Postgres, and
//! publishes those jobs at QStash.

use security::{AppState, router};
use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Redis;
use shared::service::job::Publisher;
use shared::service::security::{Blocklist, Security};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let guard = Guard::from_env(&redis)?;
    let postgres = Postgres::from_env()?;
    let state = AppState {
        security: Security::new(redis.clone(), postgres.clone(), Publisher::from_env()?),
        blocklist: Blocklist::new(redis.clone(), postgres),
    };
    let router = router(state, &guard)?;
    redis.connect().await;
    api::serve("security", router, redis.usage().clone()).await
}
