//! Temporary files: rows that name an object.

use super::{Error, Housekeeping, Task};
use crate::protocol::postgres::{Parameter, Type, column};

/// Files that are removed at a time.
const FILES: i64 = 100;

/// A temporary file that is old enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TempFile {
    /// The row's id, as text.
    pub id: String,
    /// The object, if there is one.
    pub object_key: Option<String>,
}

impl Housekeeping {
    /// Files older than three days, after `after` in the order of their ids.
    pub async fn temp_files(&self, after: &str) -> Result<Vec<TempFile>, Error> {
        let sql = "SELECT id::text AS id, object_key FROM public.temp_files \
            WHERE created_at < now() - interval '3 days' AND id::text > $1 ORDER BY id::text LIMIT $2";
        let parameters: [Parameter<'_>; 2] = [(&after, Type::TEXT), (&FILES, Type::INT8)];
        let rows = self.0.query_repeatable(sql, &parameters).await?;
        let files = rows.iter().map(|row| {
            Ok(TempFile {
                id: column(row, "id")?,
                object_key: column(row, "object_key")?,
            })
        });
        files.collect()
    }

    /// Removes the rows of files whose objects are gone, and counts them for the run.
    pub async fn remove_temp_files(&self, run: &str, ids: &[String]) -> Result<u64, Error> {
        let sql = "WITH gone AS (DELETE FROM public.temp_files WHERE id::text = ANY($3) \
              AND created_at < now() - interval '3 days' RETURNING 1), \
            counted AS (SELECT count(*) AS rows FROM gone), \
            noted AS (INSERT INTO signtusk.cleanup_runs AS run (job_id, task, removed) \
              SELECT $1, $2, rows FROM counted \
              ON CONFLICT (job_id, task) DO UPDATE SET removed = run.removed + excluded.removed) \
            SELECT rows FROM counted";
        let task = Task::TempFiles.name();
        let parameters: [Parameter<'_>; 3] = [
            (&run, Type::TEXT),
            (&task, Type::TEXT),
            (&ids, Type::TEXT_ARRAY),
        ];
        self.number(sql, &parameters).await
    }

    /// How many files a run would remove now.
    pub async fn count_temp_files(&self) -> Result<u64, Error> {
        let sql = "SELECT count(*) AS rows FROM public.temp_files WHERE created_at < now() - interval '3 days'";
        self.number(sql, &[]).await
    }
}
