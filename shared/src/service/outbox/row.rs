//! A row of the outbox, and the outcome of its execution.

use std::time::Duration;

use jiff::Timestamp;

use super::Error;
use crate::protocol::postgres::{self, column};

/// The action of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Record and publish a job.
    Job,
    /// Invalidate cache entries.
    Invalidation,
}

impl Kind {
    /// Returns the kind's name in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Invalidation => "invalidation",
        }
    }
}

/// A claimed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its id; for a job, the id of the job.
    pub id: String,
    /// Its action.
    pub kind: Kind,
    /// Its payload: a JSON object as text.
    pub payload: String,
    /// Rows with the same key are executed in order.
    pub ordering_key: Option<String>,
    /// The number of claims without an outage, including this one.
    pub attempts: i32,
    /// The columns of a job.
    pub columns: Columns,
    pub(super) seq: i64,
}

/// The columns that only rows of jobs have, unparsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The type's name.
    pub job_type: String,
    /// The priority.
    pub priority: String,
    /// The tenant.
    pub tenant: String,
    /// The acting user; empty for the service itself.
    pub user: String,
    /// The label that related jobs share; may be empty.
    pub label: String,
    /// The instant before which it must not run.
    pub not_before: Option<Timestamp>,
}

impl Row {
    pub(super) fn read(row: &postgres::Row) -> Result<Self, Error> {
        let kind: &str = column(row, "kind")?;
        let known = [Kind::Job, Kind::Invalidation];
        let kind = known.into_iter().find(|it| it.name() == kind);
        let not_before: Option<i64> = column(row, "not_before")?;
        Ok(Self {
            id: column(row, "id")?,
            kind: kind.ok_or(Error::Unreadable)?,
            payload: column(row, "payload")?,
            ordering_key: column(row, "ordering_key")?,
            attempts: column(row, "attempts")?,
            columns: Columns {
                job_type: column::<Option<String>>(row, "job_type")?.unwrap_or_default(),
                priority: column(row, "priority")?,
                tenant: column(row, "tenant")?,
                user: column(row, "acting_user")?,
                label: column(row, "label")?,
                not_before: not_before.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            },
            seq: column(row, "seq")?,
        })
    }
}

/// The outcome of a claimed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is executed.
    Done,
    /// It failed because of its content, and is retried after a wait.
    Retry {
        /// The wait.
        after: Duration,
        /// The error.
        reason: String,
    },
    /// It was not executed for another reason, such as an outage, and may be claimed after this wait.
    Release(Duration),
    /// It can never be executed unchanged: a person has to inspect it.
    SetAside(String),
}

/// The number of failures after which a row is set aside.
const MAX_FAILURES: i32 = 5;

/// The wait after the first failure; each further wait is four times as long.
const FIRST_BACKOFF: Duration = Duration::from_secs(30);

impl Outcome {
    /// Returns the outcome of a row that failed because of its content: a few retries, then it is set aside.
    #[must_use]
    pub fn failed(row: &Row, reason: String) -> Self {
        if row.attempts >= MAX_FAILURES {
            return Self::SetAside(reason);
        }
        let before = u32::try_from(row.attempts - 1).unwrap_or_default();
        Self::Retry {
            after: FIRST_BACKOFF * 4_u32.saturating_pow(before),
            reason,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retry { .. } => "later",
            Self::Release(_) => "free",
            Self::SetAside(_) => "aside",
        }
    }

    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Retry { reason, .. } | Self::SetAside(reason) => Some(reason),
            Self::Done | Self::Release(_) => None,
        }
    }

    pub(super) fn delay_millis(&self) -> i64 {
        let after = match self {
            Self::Retry { after, .. } | Self::Release(after) => *after,
            Self::Done | Self::SetAside(_) => Duration::ZERO,
        };
        i64::try_from(after.as_millis()).unwrap_or(i64::MAX)
    }
}
