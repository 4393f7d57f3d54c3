//! Cleanup: deletes expired data in bounded batches, and stores the progress of a run in Postgres.
//!
//! A batch and its count are one statement or one transaction: the next delivery continues a killed run, and knows what
//! was deleted. Legal evidence is deleted only according to the days of `signtusk.retention`, which only the owner of
//! the database changes.

mod evidence;
mod files;
mod keyspace;
mod removal;
mod task;

use serde::Deserialize;
use serde_json::Value;

pub use self::evidence::EndedRequest;
pub use self::files::{Place, TempFile};
pub use self::keyspace::{Keyspace, Seen};
pub use self::removal::Removal;
pub use self::task::{Sweep, Task};
use crate::protocol::postgres::{self, Json, Parameter, Postgres, Type, column};

/// The number of rows that one statement deletes.
pub const BATCH: u32 = 1000;

/// The largest count of a dry run for one table.
const MAX_COUNTED: i64 = 1_000_000;

/// Why a cleanup failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The statement failed; the cause says whether a retry is useful.
    #[error("the data to clean up is unavailable")]
    Postgres(#[from] postgres::Error),
    /// The database returned an unexpected value.
    #[error("the run's record is unreadable")]
    Unreadable,
}

/// The progress of one task of a run.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TaskState {
    /// The task's name.
    pub task: String,
    /// The number of rows that were deleted so far.
    pub removed: u64,
    /// Whether it is done.
    pub done: bool,
    /// Results besides that number, such as the scan of the keyspace.
    pub detail: Option<Value>,
}

/// The tables that are cleaned up.
#[derive(Clone, Debug)]
pub struct Cleanup(Postgres);

impl Cleanup {
    /// Returns the tables of a migrated database.
    #[must_use]
    pub fn new(postgres: Postgres) -> Self {
        Self(postgres)
    }

    /// Returns the progress of a run.
    pub async fn states(&self, run: &str) -> Result<Vec<TaskState>, Error> {
        let sql = "SELECT coalesce(json_agg(json_build_object('task', task, 'removed', removed, \
            'done', done_at IS NOT NULL, 'detail', detail)), '[]') AS standings \
            FROM signtusk.cleanup_runs WHERE job_id = $1";
        let rows = self.0.query_repeatable(sql, &[(&run, Type::TEXT)]).await?;
        let Json(states) = column(rows.first().ok_or(Error::Unreadable)?, "standings")?;
        Ok(states)
    }

    /// Deletes one batch and counts it for the run. Fewer than [`BATCH`] means that no more rows are left.
    pub async fn sweep(&self, run: &str, task: Task, sweep: &Sweep) -> Result<u32, Error> {
        let Sweep { table, condition } = sweep;
        // Names and conditions are literals of this crate.
        let sql = format!(
            "WITH gone AS (DELETE FROM {table} WHERE ctid IN \
               (SELECT ctid FROM {table} WHERE {condition} LIMIT $3) RETURNING 1), \
             counted AS (SELECT count(*) AS rows FROM gone), \
             noted AS (INSERT INTO signtusk.cleanup_runs AS run (job_id, task, removed) \
               SELECT $1, $2, rows FROM counted \
               ON CONFLICT (job_id, task) DO UPDATE SET removed = run.removed + excluded.removed) \
             SELECT rows::integer AS rows FROM counted"
        );
        let (task, most) = (task.name(), i64::from(BATCH));
        let parameters: [Parameter<'_>; 3] =
            [(&run, Type::TEXT), (&task, Type::TEXT), (&most, Type::INT8)];
        let rows = self.0.query_repeatable(&sql, &parameters).await?;
        let rows: i32 = column(rows.first().ok_or(Error::Unreadable)?, "rows")?;
        Ok(u32::try_from(rows).unwrap_or_default())
    }

    /// Returns how many rows a sweep would delete now; counted up to a million.
    pub async fn count(&self, sweep: &Sweep) -> Result<u64, Error> {
        let Sweep { table, condition } = sweep;
        let sql = format!(
            "SELECT count(*) AS rows FROM (SELECT FROM {table} WHERE {condition} LIMIT $1) AS counted"
        );
        self.number(&sql, &[(&MAX_COUNTED, Type::INT8)]).await
    }

    /// Marks a task of a run as done.
    pub async fn done(&self, run: &str, task: Task, detail: Option<&Value>) -> Result<(), Error> {
        let sql = "INSERT INTO signtusk.cleanup_runs AS run (job_id, task, done_at, detail) \
            VALUES ($1, $2, now(), $3) \
            ON CONFLICT (job_id, task) DO UPDATE SET done_at = now(), detail = excluded.detail";
        let (task, detail) = (task.name(), detail.map(Json));
        let parameters: [Parameter<'_>; 3] = [
            (&run, Type::TEXT),
            (&task, Type::TEXT),
            (&detail, Type::JSONB),
        ];
        self.0.query_repeatable(sql, &parameters).await?;
        Ok(())
    }

    async fn number(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64, Error> {
        let rows = self.0.query_repeatable(sql, parameters).await?;
        let rows: i64 = column(rows.first().ok_or(Error::Unreadable)?, "rows")?;
        Ok(u64::try_from(rows).unwrap_or_default())
    }
}
