//! Writing to the outbox, within the transaction of the change that causes it.

use jiff::Timestamp;
use serde::Serialize;

use super::{Error, Outbox};
use crate::base::id;
use crate::protocol::postgres::{Parameter, Transaction, Type};
use crate::service::job::{JobType, Priority};

/// Writers of one ordering key wait for each other until they commit, so that the write order equals the commit order.
/// `public.signtusk_enqueue_job` takes the same lock.
const LOCK: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('signtusk.outbox ' || $1, 0)) IS NULL AS locked";

/// Inserts a row. A job whose delay exceeds the queue's limit (seven days) waits in the outbox.
const WRITE: &str = "INSERT INTO signtusk.outbox \
    (id, kind, job_type, payload, ordering_key, not_before, due_at, tenant, priority, acting_user, label) \
    SELECT $1::uuid, 'job', $2, $3::jsonb, $4, at, greatest(now(), at - interval '6 days'), $6, $7, $8, $9 \
    FROM (SELECT timestamptz 'epoch' + $5 * interval '1 millisecond' AS at) AS wanted";

/// A job to be written.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its type.
    pub job: JobType,
    /// Its priority.
    pub priority: Priority,
    /// Its tenant: a domain, a user, or `-`.
    pub tenant: &'a str,
    /// The acting user; empty for the service itself.
    pub user: &'a str,
    /// The label that related jobs share; may be empty.
    pub label: &'a str,
    /// Jobs with the same key are published in the order in which their transactions commit.
    pub ordering_key: Option<&'a str>,
    /// The instant before which it must not run.
    pub not_before: Option<Timestamp>,
}

impl<'a> Entry<'a> {
    /// Returns a job of this type and tenant, with default options.
    #[must_use]
    pub fn new(job: JobType, tenant: &'a str) -> Self {
        Self {
            job,
            priority: Priority::Normal,
            tenant,
            user: "",
            label: "",
            ordering_key: None,
            not_before: None,
        }
    }
}

impl Outbox {
    /// Writes a job and returns its id. The job exists once the transaction is committed; `payload` is a JSON object of
    /// at most 256 KB.
    pub async fn write(
        transaction: &Transaction,
        entry: &Entry<'_>,
        payload: &impl Serialize,
    ) -> Result<String, Error> {
        if let Some(key) = entry.ordering_key {
            transaction.query(LOCK, &[(&key, Type::TEXT)]).await?;
        }
        let id = id::sortable();
        let payload = serde_json::to_string(payload)?;
        let (job, priority) = (entry.job.name(), entry.priority.name());
        let millis = entry.not_before.map(Timestamp::as_millisecond);
        let parameters: [Parameter<'_>; 9] = [
            (&id, Type::TEXT),
            (&job, Type::TEXT),
            (&payload, Type::TEXT),
            (&entry.ordering_key, Type::TEXT),
            (&millis, Type::INT8),
            (&entry.tenant, Type::TEXT),
            (&priority, Type::TEXT),
            (&entry.user, Type::TEXT),
            (&entry.label, Type::TEXT),
        ];
        transaction.execute(WRITE, &parameters).await?;
        Ok(id)
    }
}
