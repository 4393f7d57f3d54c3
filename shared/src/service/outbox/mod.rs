//! The outbox: follow-up actions of a change are written in its transaction, and executed after the commit.
//!
//! A row is claimed ([`Outbox::claim`]), executed by the module of its kind ([`job_relay`] publishes jobs), and settled
//! ([`Outbox::settle`]). Each step is one statement, so a transaction-mode pooler is sufficient. A claim expires: a row
//! whose relay died between claim and settling is claimed and executed again, so every action must be idempotent. A row
//! with an ordering key is claimed only together with, or after, all earlier waiting rows of the key. A row that can
//! never be executed, or fails repeatedly, is set aside with the reason, and later rows continue.

pub mod job_relay;

mod row;
mod write;

use std::time::Duration;

use uuid::Uuid;

pub use self::row::{Columns, Kind, Outcome, Row};
pub use self::write::Entry;
use crate::base::id;
use crate::protocol::postgres::{self, Parameter, Postgres, Type, column};

/// How long a claim lasts: longer than a function can run.
const LEASE: Duration = Duration::from_mins(1);

/// The number of claims after which a row that was never settled is given up: executing it kills its relay.
const MAX_ATTEMPTS: i32 = 10;

const CLAIM: &str = include_str!("claim.sql");
const SETTLE: &str = include_str!("settle.sql");
const BACKLOG: &str = include_str!("backlog.sql");

/// Finds the ids of unfinished rows.
const UNFINISHED: &str = "SELECT id::text FROM signtusk.outbox \
    WHERE id = ANY ($1::uuid[]) AND published_at IS NULL";

/// Deletes some rows that were finished more than three days ago.
const PURGE: &str = "DELETE FROM signtusk.outbox WHERE id IN ( \
    SELECT id FROM signtusk.outbox WHERE published_at < now() - interval '3 days' LIMIT $1)";

/// Why the outbox could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The statement failed; the cause says whether a retry is useful.
    #[error("the outbox is unavailable")]
    Postgres(#[from] postgres::Error),
    /// The database contains a value that this version does not know.
    #[error("the outbox has a value that this version does not know")]
    Unreadable,
    /// The payload is not a JSON object.
    #[error("the payload must be a JSON object")]
    Payload(#[from] serde_json::Error),
}

/// Rows that belong to this claim until it is settled, or for a minute.
#[derive(Debug)]
pub struct Claimed {
    /// The rows, in the order in which they were written.
    pub rows: Vec<Row>,
    claim: String,
}

/// The backlog of the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How long the oldest waiting row has been due, in seconds; 0 if none is waiting.
    pub oldest_seconds: u64,
    /// The number of rows that were set aside; 1,000 means 1,000 or more.
    pub set_aside: u64,
}

/// The outbox of a migrated database.
#[derive(Clone, Debug)]
pub struct Outbox(Postgres);

impl Outbox {
    /// Returns the outbox in `postgres`.
    #[must_use]
    pub fn new(postgres: Postgres) -> Self {
        Self(postgres)
    }

    /// Claims due rows of these kinds, at most `limit`, the oldest first.
    pub async fn claim(&self, kinds: &[Kind], limit: u32) -> Result<Claimed, Error> {
        self.claim_some(kinds, limit, None).await
    }

    /// Claims those of these rows that are free.
    pub async fn claim_these(&self, kinds: &[Kind], ids: &[String]) -> Result<Claimed, Error> {
        let limit = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        self.claim_some(kinds, limit, Some(ids)).await
    }

    async fn claim_some(
        &self,
        kinds: &[Kind],
        limit: u32,
        ids: Option<&[String]>,
    ) -> Result<Claimed, Error> {
        let claim = id::nonce();
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let limit = i64::from(limit);
        let lease = LEASE.as_secs_f64();
        let parameters: [Parameter<'_>; 5] = [
            (&kinds, Type::TEXT_ARRAY),
            (&claim, Type::TEXT),
            (&limit, Type::INT8),
            (&ids, Type::TEXT_ARRAY),
            (&lease, Type::FLOAT8),
        ];
        let rows = self.0.query(CLAIM, &parameters).await?;
        let mut rows = rows.iter().map(Row::read).collect::<Result<Vec<_>, _>>()?;
        rows.sort_by_key(|row| row.seq);
        let (rows, hopeless): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .partition(|row| row.attempts <= MAX_ATTEMPTS);
        let claimed = Claimed { rows, claim };
        if !hopeless.is_empty() {
            let outcomes = hopeless
                .iter()
                .map(|row| (row.id.as_str(), too_many_attempts()));
            self.settle_each(&claimed.claim, outcomes).await?;
        }
        Ok(claimed)
    }

    /// Writes the outcomes of the rows of a claim, one for each, in order. `Done` is written even if another claim has
    /// the row; the other outcomes only while the claim lasts. Repeating it changes nothing.
    pub async fn settle(&self, claimed: &Claimed, outcomes: &[Outcome]) -> Result<(), Error> {
        let rows = claimed.rows.iter().zip(outcomes);
        self.settle_each(
            &claimed.claim,
            rows.map(|(row, outcome)| (row.id.as_str(), outcome.clone())),
        )
        .await
    }

    async fn settle_each<'a>(
        &self,
        claim: &str,
        outcomes: impl Iterator<Item = (&'a str, Outcome)>,
    ) -> Result<(), Error> {
        let outcomes: Vec<(&str, Outcome)> = outcomes.collect();
        let ids: Vec<&str> = outcomes.iter().map(|(id, _)| *id).collect();
        let names: Vec<&str> = outcomes.iter().map(|(_, it)| it.name()).collect();
        let reasons: Vec<Option<&str>> = outcomes.iter().map(|(_, it)| it.reason()).collect();
        let delays: Vec<i64> = outcomes.iter().map(|(_, it)| it.delay_millis()).collect();
        let parameters: [Parameter<'_>; 5] = [
            (&ids, Type::TEXT_ARRAY),
            (&names, Type::TEXT_ARRAY),
            (&reasons, Type::TEXT_ARRAY),
            (&delays, Type::INT8_ARRAY),
            (&claim, Type::TEXT),
        ];
        self.0.query_repeatable(SETTLE, &parameters).await?;
        Ok(())
    }

    /// Returns those of these jobs whose rows are unfinished: waiting, resting or set aside. Only their rows can
    /// publish them.
    pub async fn unfinished(&self, jobs: &[String]) -> Result<Vec<String>, Error> {
        // A job that another client published has an id of QStash, which no row has.
        let ids: Vec<&String> = jobs
            .iter()
            .filter(|id| Uuid::try_parse(id).is_ok())
            .collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .0
            .query_repeatable(UNFINISHED, &[(&ids, Type::TEXT_ARRAY)])
            .await?;
        rows.iter().map(|row| Ok(column(row, "id")?)).collect()
    }

    /// Returns how long the oldest waiting row has been due, and the number of rows that were set aside. The cost does
    /// not grow with the outbox.
    pub async fn backlog(&self) -> Result<Backlog, Error> {
        let rows = self.0.query_repeatable(BACKLOG, &[]).await?;
        let row = rows.first().ok_or(Error::Unreadable)?;
        let number = |name| -> Result<u64, Error> {
            u64::try_from(column::<i64>(row, name)?).map_err(|_| Error::Unreadable)
        };
        Ok(Backlog {
            oldest_seconds: number("oldest")?,
            set_aside: number("set_aside")?,
        })
    }

    /// Deletes rows that were finished more than three days ago, at most `limit`, and returns their number.
    pub async fn purge(&self, limit: u32) -> Result<u64, Error> {
        let limit = i64::from(limit);
        Ok(self.0.execute(PURGE, &[(&limit, Type::INT8)]).await?)
    }
}

fn too_many_attempts() -> Outcome {
    Outcome::SetAside(format!("claimed {MAX_ATTEMPTS} times without a result"))
}
