//! `/api/sessions`: begins sessions, reads them, exchanges their refresh tokens and revokes them.
//!
//! Called by the web app with the service token. Decides in Redis, one script each, and writes through to Postgres; what
//! Postgres does not take goes to QStash as a job for persist-session. Reads of what Redis does not know, or when it does
//! not answer, come from Postgres.

use sessions::router;
use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Redis;
use shared::service::job::Publisher;
use shared::service::session::Sessions;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let guard = Guard::from_env()?;
    let redis = Redis::from_env()?;
    let sessions = Sessions::new(redis.clone(), Postgres::from_env()?, Publisher::from_env()?);
    redis.connect().await;
    api::serve("sessions", router(sessions, &guard), redis.usage().clone()).await
}
