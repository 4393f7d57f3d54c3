//! `/api/security`: records attempts to get in, assesses visitors, and keeps the block list.
//!
//! Called by the web app and, for the block list, by its administrators and the person on call, with the service
//! token. Counts in Redis; writes the block list and security events to Postgres, and with them the audit log and the
//! mails to owners, which it publishes at QStash.

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
