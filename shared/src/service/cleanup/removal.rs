//! A deletion and its count: both take effect, or neither does.

use super::task::Task;
use super::{Cleanup, Error};
use crate::protocol::postgres::{Parameter, Transaction, Type};

const NOTE: &str = "INSERT INTO signtusk.cleanup_runs AS run (job_id, task, removed) VALUES ($1, $2, $3) \
    ON CONFLICT (job_id, task) DO UPDATE SET removed = run.removed + excluded.removed";

/// A deletion in its own transaction. Dropping it deletes nothing.
#[derive(Debug)]
pub struct Removal<'a> {
    transaction: Transaction,
    run: &'a str,
    task: Task,
}

impl Cleanup {
    /// Begins a deletion that counts for a task of a run.
    pub async fn removal<'a>(&self, run: &'a str, task: Task) -> Result<Removal<'a>, Error> {
        Ok(Removal {
            transaction: self.0.transaction().await?,
            run,
            task,
        })
    }
}

impl Removal<'_> {
    /// Returns the transaction of the deleting statements.
    #[must_use]
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// Counts the deleted rows, and commits. After an error it may be unknown whether the commit took effect, but never
    /// only one of the two.
    pub async fn end(self, removed: u64) -> Result<u64, Error> {
        let (task, count) = (self.task.name(), i64::try_from(removed).unwrap_or(i64::MAX));
        let parameters: [Parameter<'_>; 3] = [
            (&self.run, Type::TEXT),
            (&task, Type::TEXT),
            (&count, Type::INT8),
        ];
        self.transaction.execute(NOTE, &parameters).await?;
        self.transaction.commit().await?;
        Ok(removed)
    }
}
