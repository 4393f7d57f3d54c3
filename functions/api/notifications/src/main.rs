//! `/api/notifications`: the acting user's inbox, unread count and push subscriptions.
//!
//! Called by the web app for its users, with the service token and `X-User-Id`. Reads and marks rows in Postgres. The
//! unread count is read from Redis, or from Postgres if Redis does not have it.

use notifications::{Inbox, router};
use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Redis;
use shared::protocol::web_push::PushServices;
use shared::service::notification::{Notifications, Subscriptions, UnreadCounts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let guard = Guard::from_env(&redis)?;
    let postgres = Postgres::from_env()?;
    let inbox = Inbox {
        notifications: Notifications::new(postgres.clone()),
        subscriptions: Subscriptions::new(postgres),
        counts: UnreadCounts::new(redis.clone()),
        services: PushServices::from_env()?,
        redis: redis.clone(),
    };
    let router = router(inbox, &guard)?;
    redis.connect().await;
    api::serve("notifications", router, redis.usage().clone()).await
}
