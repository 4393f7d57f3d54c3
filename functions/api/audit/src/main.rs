//! `GET /api/audit`, `/api/audit/verify`, `/api/audit/export`: shows, verifies and exports the audit log.
//!
//! Called by the web app with the service token, for the acting user: who sees which events is part of the query.
//! Reads Postgres and changes nothing there; counts requests in
//! Redis.

use audit::{Log, router};
use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Redis;
use shared::service::audit::{Audit, Seal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let guard = Guard::from_env(&redis)?;
    let log = Log {
        audit: Audit::new(Postgres::from_env()?),
        seal: Seal::from_env()?,
    };
    let router = router(log, &guard)?;
    redis.connect().await;
    api::serve("audit", router, redis.usage().clone()).await
}
