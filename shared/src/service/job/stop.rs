//! The ways in which a job's work stops short of done, said where it happens.

use std::error::Error;
use std::time::Duration;

use serde_json::Value;

use crate::base::causes::causes;

/// Why a job is not done, and what is to become of it.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// Something that may heal: the queue is to deliver again.
    #[error("{error}")]
    Retry {
        /// What happened.
        error: String,
        /// How long the queue is to wait at least; none leaves it to its schedule.
        after: Option<Duration>,
    },
    /// Something that will not heal: straight to the dead-letter queue.
    #[error("{0}")]
    Reject(String),
    /// Not now: the job goes back into the queue, without a retry being spent. Each time in a row it waits longer.
    #[error("{reason}")]
    Defer {
        /// How long to wait, the first time.
        after: Duration,
        /// Why, for the timeline.
        reason: String,
    },
    /// More than fits into one attempt: the job goes on in another message, without a retry being spent.
    #[error("{reason}")]
    Continue {
        /// How long to wait.
        after: Duration,
        /// What the next attempt is to know, such as where it begins.
        checkpoint: Value,
        /// Why, for the timeline.
        reason: String,
    },
}

impl Stop {
    /// A failure that may heal, with its causes in words.
    pub fn retry(error: impl Error) -> Self {
        Self::Retry {
            error: causes(&error),
            after: None,
        }
    }

    /// A failure that will not heal, with its causes in words.
    pub fn reject(error: impl Error) -> Self {
        Self::Reject(causes(&error))
    }

    /// On in another message after `after`.
    pub fn continue_after(after: Duration, reason: impl Into<String>) -> Self {
        Self::Continue {
            after,
            checkpoint: Value::Null,
            reason: reason.into(),
        }
    }

    /// Back into the queue for `after`.
    pub fn defer(after: Duration, reason: impl Into<String>) -> Self {
        Self::Defer {
            after,
            reason: reason.into(),
        }
    }
}
