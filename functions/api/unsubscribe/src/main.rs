//! `/api/unsubscribe`: the page behind the unsubscribe links of optional mails.
//!
//! Called by recipients' browsers and, for one-click unsubscribing (RFC 8058), by their mail programs. Protected by
//! the link's own signature. Reads the e-mail ledger and writes the suppression list, both in Postgres; counts
//! requests in Redis.

use shared::edge::{Fatal, PublicGuard, api, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Redis;
use shared::service::mail::unsubscribe::{Subscriptions, Tokens};
use unsubscribe::{AppState, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let state = AppState {
        tokens: Tokens::from_env()?,
        subscriptions: Subscriptions::new(Postgres::from_env()?),
    };
    let redis = Redis::from_env()?;
    let router = router(state, &PublicGuard::from_env(&redis)?)?;
    redis.connect().await;
    api::serve("unsubscribe", router, redis.usage().clone()).await
}
