//! A row of the outbox, and what can become of it.

use std::time::Duration;

use jiff::Timestamp;

use super::Error;
use crate::protocol::postgres::{self, column};

/// What is done with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A job is recorded and published.
    Job,
    /// A cache forgets something.
    Invalidation,
}

impl Kind {
    /// The kind's name in the table.
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
    /// Its id; of a job's row, the id of the job.
    pub id: String,
    /// What is done with it.
    pub kind: Kind,
    /// What it carries: JSON text, an object.
    pub payload: String,
    /// What it must not overtake its like of.
    pub ordering_key: Option<String>,
    /// How often it was claimed without an outage, this time included.
    pub attempts: i32,
    /// What only jobs have.
    pub columns: Columns,
    pub(super) seq: i64,
}

/// What only the rows of jobs have, as it stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The type's name.
    pub job_type: String,
    /// How urgent it is.
    pub priority: String,
    /// Whose budget it counts against.
    pub tenant: String,
    /// The acting user; empty for the service itself.
    pub user: String,
    /// What it belongs together by; may be empty.
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

/// What became of a claimed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It failed of something of its own, and rests before it is tried again.
    Retry {
        /// How long it rests.
        after: Duration,
        /// What it failed of.
        reason: String,
    },
    /// It was not done for a reason that is not its own, such as an outage, and may be claimed after this long.
    Release(Duration),
    /// It will never be done as it is: a person has to look.
    SetAside(String),
}

/// Failures of its own after which a row is set aside.
const MAX_FAILURES: i32 = 5;

/// What a row rests after its first failure; after each further one four times as long.
const FIRST_BACKOFF: Duration = Duration::from_secs(30);

impl Outcome {
    /// What becomes of a row that failed of something of its own: a few more attempts, then it is set aside.
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
