//! The reasons for which a job's work stops before it is done.

use std::error::Error;
use std::time::Duration;

use serde_json::Value;

use crate::base::causes::causes;

/// Why a job is not done, and how it continues.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// A temporary failure: the queue delivers again.
    #[error("{error}")]
    Retry {
        /// The error.
        error: String,
        /// The minimum wait; without one, the queue's retry schedule applies.
        after: Option<Duration>,
    },
    /// A permanent failure: the message moves to the dead-letter queue.
    #[error("{0}")]
    Reject(String),
    /// The job is deferred and returns to the queue without spending a retry. Consecutive deferrals wait longer.
    #[error("{reason}")]
    Defer {
        /// The first wait.
        after: Duration,
        /// The reason, for the timeline.
        reason: String,
    },
    /// The work does not fit one attempt: the job continues in another message, without spending a retry.
    #[error("{reason}")]
    Continue {
        /// The wait.
        after: Duration,
        /// The state for the next attempt, such as its start position.
        checkpoint: Value,
        /// The reason, for the timeline.
        reason: String,
    },
}

impl Stop {
    /// Returns a temporary failure, with the error and its causes.
    pub fn retry(error: impl Error) -> Self {
        Self::Retry {
            error: causes(&error),
            after: None,
        }
    }

    /// Returns a permanent failure, with the error and its causes.
    pub fn reject(error: impl Error) -> Self {
        Self::Reject(causes(&error))
    }

    /// Continues in another message after `after`.
    pub fn continue_after(after: Duration, reason: impl Into<String>) -> Self {
        Self::Continue {
            after,
            checkpoint: Value::Null,
            reason: reason.into(),
        }
    }

    /// Defers the job by `after`.
    pub fn defer(after: Duration, reason: impl Into<String>) -> Self {
        Self::Defer {
            after,
            reason: reason.into(),
        }
    }
}
