//! Rows that are invalidations: caches forget what a change of the web app's has made wrong.

use shared::protocol::upstash::Redis;
use shared::service::cache::invalidation;
use shared::service::job::Stop;
use shared::service::outbox::{Kind, Outcome, Row};

use crate::apply::Apply;

/// Takes entries out of the caches in this store.
pub(crate) struct Invalidator(pub(crate) Redis);

impl Apply for Invalidator {
    const KIND: Kind = Kind::Invalidation;

    async fn apply(&self, rows: &[Row]) -> Result<Vec<Outcome>, Stop> {
        let payloads = rows.iter().map(|row| row.payload.as_str());
        let applied = invalidation::apply(&self.0, payloads).await;
        applied.map_err(Stop::retry)?;
        Ok(vec![Outcome::Done; rows.len()])
    }
}
