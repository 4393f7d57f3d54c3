//! Deletion of legal evidence after its retention: signing requests, and rows of the audit log without a chain.
//!
//! The database checks the retention itself, and keeps younger rows whatever the caller requests.

use jiff::Timestamp;
use uuid::Uuid;

use super::removal::Removal;
use super::{BATCH, Cleanup, Error, MAX_COUNTED};
use crate::protocol::postgres::{Parameter, Transaction, Type, column};

/// The number of requests that are read at a time: each may have an object to delete first.
const REQUESTS: i32 = 100;

const PAGE: &str = "SELECT id::text AS id, (extract(epoch FROM created_at) * 1000000)::bigint AS micros, \
      final_pdf_url, may_go \
    FROM signtusk.ended_requests(timestamptz 'epoch' + $1 * interval '1 microsecond', \
      timestamptz 'epoch' + $2 * interval '1 microsecond', $3::text::uuid, $4)";

/// An ended request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedRequest {
    /// Its id.
    pub id: String,
    /// Its creation time, in microseconds.
    micros: i64,
    /// The location of the signed document, as written by its creator.
    pub final_pdf_url: Option<String>,
    /// Whether its retention is over.
    pub may_go: bool,
}

impl Cleanup {
    /// Returns the retention days of one kind of evidence, `audit` or `requests`.
    pub async fn retention_days(&self, what: &str) -> Result<u64, Error> {
        let sql =
            "SELECT coalesce(max(days), 0)::bigint AS rows FROM signtusk.retention WHERE what = $1";
        self.number(sql, &[(&what, Type::TEXT)]).await
    }

    /// Returns ended requests that were created before `before`, after another one in the order of their creation.
    pub async fn ended_requests(
        &self,
        before: Timestamp,
        after: Option<&EndedRequest>,
    ) -> Result<Vec<EndedRequest>, Error> {
        let (before, micros) = (
            before.as_microsecond(),
            after.map_or(0, |request| request.micros),
        );
        let id = after.map_or_else(|| Uuid::nil().to_string(), |request| request.id.clone());
        let parameters: [Parameter<'_>; 4] = [
            (&before, Type::INT8),
            (&micros, Type::INT8),
            (&id, Type::TEXT),
            (&REQUESTS, Type::INT4),
        ];
        let rows = self.0.query_repeatable(PAGE, &parameters).await?;
        let requests = rows.iter().map(|row| {
            Ok(EndedRequest {
                id: column(row, "id")?,
                micros: column(row, "micros")?,
                final_pdf_url: column(row, "final_pdf_url")?,
                may_go: column(row, "may_go")?,
            })
        });
        requests.collect()
    }

    /// Returns how many requests a run would delete now; counted up to a million.
    pub async fn count_ended_requests(&self, before: Timestamp) -> Result<u64, Error> {
        let sql = "SELECT count(*) FILTER (WHERE may_go) AS rows \
            FROM signtusk.ended_requests(timestamptz 'epoch' + $1 * interval '1 microsecond', timestamptz 'epoch', \
              '00000000-0000-0000-0000-000000000000', 1000000)";
        self.number(sql, &[(&before.as_microsecond(), Type::INT8)])
            .await
    }

    /// Returns how many audit events a run would delete now if no chain is broken; counted up to a million.
    pub async fn count_audit_events(&self, before: Timestamp) -> Result<u64, Error> {
        let sql = "WITH line AS (SELECT timestamptz 'epoch' + $1 * interval '1 microsecond' AS at) \
            SELECT \
              (SELECT count(*) FROM (SELECT FROM public.audit_logs, line \
                WHERE chain IS NOT NULL AND recorded_at < line.at LIMIT $2) AS chained) + \
              (SELECT count(*) FROM (SELECT FROM public.audit_logs, line \
                WHERE chain IS NULL AND created_at < line.at LIMIT $2) AS unchained) AS rows";
        let before = before.as_microsecond();
        let parameters: [Parameter<'_>; 2] = [(&before, Type::INT8), (&MAX_COUNTED, Type::INT8)];
        self.number(sql, &parameters).await
    }
}

impl Removal<'_> {
    /// Deletes those of these requests whose retention is over, with their signers.
    pub async fn ended_requests(&self, before: Timestamp, ids: &[&str]) -> Result<u64, Error> {
        let before = before.as_microsecond();
        let sql = "SELECT signtusk.remove_ended_requests( \
            timestamptz 'epoch' + $1 * interval '1 microsecond', $2::text[]::uuid[]) AS rows";
        let parameters: [Parameter<'_>; 2] = [(&before, Type::INT8), (&ids, Type::TEXT_ARRAY)];
        number(self.transaction(), sql, &parameters).await
    }

    /// Deletes one batch of audit rows without a chain that are older than `before`.
    pub async fn unchained(&self, before: Timestamp) -> Result<u64, Error> {
        let (before, most) = (
            before.as_microsecond(),
            i32::try_from(BATCH).unwrap_or(i32::MAX),
        );
        let sql = "SELECT signtusk.remove_unchained_audit_rows( \
            timestamptz 'epoch' + $1 * interval '1 microsecond', $2) AS rows";
        let parameters: [Parameter<'_>; 2] = [(&before, Type::INT8), (&most, Type::INT4)];
        number(self.transaction(), sql, &parameters).await
    }
}

async fn number(
    transaction: &Transaction,
    sql: &str,
    parameters: &[Parameter<'_>],
) -> Result<u64, Error> {
    let rows = transaction.query(sql, parameters).await?;
    let rows: i64 = column(rows.first().ok_or(Error::Unreadable)?, "rows")?;
    Ok(u64::try_from(rows).unwrap_or_default())
}
