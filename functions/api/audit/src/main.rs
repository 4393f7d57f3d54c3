//! `GET /api/audit`, `/api/audit/verify`, `/api/audit/export`: shows, verifies and exports the audit log.
//!
//! Called by the web app with the service token, for the acting user: who sees which events is part of the query.
//! Reads Postgres and changes nothing there; counts requests in
//! Redis.

use audit::{AppState, router};
use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Redis;
use shared::service::audit::{Audit, CheckpointSigner};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let guard = Guard::from_env(&redis)?;
    let state = AppState {
        audit: Audit::new(Postgres::from_env()?),
        signer: CheckpointSigner::from_env()?,
    };
    let router = router(state, &guard)?;
    redis.connect().await;
    api::serve("audit", router, redis.usage().clone()).await
}
