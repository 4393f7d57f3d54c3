//! `/api/users/{userId}/sessions`: lists and revokes the sessions of a user.
//!
//! Called by the web app with the service token, for the user or for administrators. Reads the sessions from Postgres
//! and their state from Redis. Revokes in Redis, then in Postgres or through QStash.

use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Redis;
use shared::service::job::Publisher;
use shared::service::session::Sessions;
use user_sessions::router;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let guard = Guard::from_env(&redis)?;
    let sessions = Sessions::new(redis.clone(), Postgres::from_env()?, Publisher::from_env()?);
    redis.connect().await;
    let router = router(sessions, &guard)?;
    api::serve("user-sessions", router, redis.usage().clone()).await
}
