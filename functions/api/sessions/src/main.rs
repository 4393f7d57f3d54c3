//! `/api/sessions`: creates sessions, reads them, rotates their refresh tokens and revokes them.
//!
//! Called by the web app with the service token. One script in Redis decides each operation, which is written through
//! to Postgres. If Postgres is unavailable, the write goes to QStash as a job for persist-session. Sessions that Redis
//! does not have are read from Postgres, also while Redis is unavailable.

use sessions::router;
use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Redis;
use shared::service::job::Publisher;
use shared::service::session::Sessions;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let guard = Guard::from_env(&redis)?;
    let sessions = Sessions::new(redis.clone(), Postgres::from_env()?, Publisher::from_env()?);
    redis.connect().await;
    let router = router(sessions, &guard)?;
    api::serve("sessions", router, redis.usage().clone()).await
}
