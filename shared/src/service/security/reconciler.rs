//! Reconciliation after an outage: rebuilds the copy of the block list in Redis, and writes spooled events to Postgres.

use super::event::Event;
use super::{Blocklist, Error, PENDING_EVENTS};
use crate::base::causes::causes;
use crate::protocol::postgres::Postgres;
use crate::protocol::upstash::{Command, Pipeline, Redis};

/// The largest number of events that one run writes.
const MAX_ITEMS: u32 = 100;

/// Reconciles Redis and Postgres after an outage.
#[derive(Clone, Debug)]
pub struct Reconciler {
    redis: Redis,
    postgres: Postgres,
}

/// The result of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// The number of block-list entries that were copied again.
    pub blocked: usize,
    /// The number of security events that were written late.
    pub recorded: usize,
}

impl Reconciler {
    /// Returns the reconciler of a migrated database and its Redis.
    #[must_use]
    pub fn new(redis: Redis, postgres: Postgres) -> Self {
        Self { redis, postgres }
    }

    /// Reconciles what is necessary; one request of two commands if there is nothing to do. Two concurrent runs are
    /// harmless.
    pub async fn run(&self) -> Result<Reconciled, Error> {
        let pending = Command::new("LRANGE").arg(PENDING_EVENTS.key("")).arg(0);
        let look = Pipeline::new()
            .command(Blocklist::unfinished_count().repeatable())
            .command(pending.arg(MAX_ITEMS - 1).repeatable());
        let mut seen = self.redis.pipeline(look).await?;
        let is_complete = seen.take::<Option<i64>>()? == Some(0);
        let pending: Vec<String> = seen.take()?;
        Ok(Reconciled {
            blocked: if is_complete { 0 } else { self.refill().await? },
            recorded: self.record_pending(&pending).await?,
        })
    }

    async fn refill(&self) -> Result<usize, Error> {
        let blocklist = Blocklist::new(self.redis.clone(), self.postgres.clone());
        let entries = blocklist.refill().await?;
        tracing::warn!(
            entries,
            "block list incomplete in Redis; copied again from Postgres"
        );
        Ok(entries)
    }

    /// Writes the events. Each is removed from the list once Postgres has it, or rejects it permanently.
    async fn record_pending(&self, pending: &[String]) -> Result<usize, Error> {
        let key = PENDING_EVENTS.key("");
        for text in pending {
            self.record_one(text).await?;
            let done = Command::new("LREM").arg(&key).arg(1).arg(text);
            self.redis.run::<i64>(done.repeatable()).await?;
        }
        Ok(pending.len())
    }

    /// Writes one event; the next sweep publishes its mail. An event that can never be written must not block the
    /// others.
    async fn record_one(&self, text: &str) -> Result<(), Error> {
        let event: Event = match serde_json::from_str(text) {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(%error, "spooled security event unreadable; dropped");
                return Ok(());
            }
        };
        match event.record(&self.postgres).await {
            Err(Error::Postgres(error)) if !error.is_transient() => {
                tracing::error!(
                    id = event.id,
                    error = causes(&error),
                    "spooled security event rejected by Postgres; dropped"
                );
                Ok(())
            }
            recorded => recorded.map(drop),
        }
    }
}
