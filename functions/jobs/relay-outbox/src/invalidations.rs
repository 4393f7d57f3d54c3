//! Rows that are invalidations: deletes cache entries that the web app's changes made stale.

use std::time::Duration;

use shared::protocol::upstash::Redis;
use shared::service::cache::invalidation;
use shared::service::job::Stop;
use shared::service::outbox::{Kind, Outcome, Row};

use crate::apply::{Applied, Apply};

/// Deletes cache entries in this store.
pub(crate) struct Invalidator(pub(crate) Redis);

impl Apply for Invalidator {
    const KIND: Kind = Kind::Invalidation;

    async fn apply(&self, rows: &[Row]) -> Applied {
        let payloads = rows.iter().map(|row| row.payload.as_str());
        let (outcome, stop) = match invalidation::apply(&self.0, payloads).await {
            Ok(()) => (Outcome::Done, None),
            Err(error) => (Outcome::Release(Duration::ZERO), Some(Stop::retry(error))),
        };
        Applied {
            outcomes: vec![outcome; rows.len()],
            stop,
        }
    }
}
