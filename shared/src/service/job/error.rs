//! Errors of jobs, and whether a repetition helps.

use crate::protocol::{qstash, upstash};

/// Errors of a job's record or its message.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The record store failed.
    #[error("the job's record is unavailable")]
    Record(#[from] upstash::Error),
    /// QStash did not accept the message.
    #[error("the job's message was not published")]
    Publish(#[from] qstash::Error),
    /// QStash rejected one message of a batch.
    #[error("the job's message was rejected")]
    Refused(#[source] qstash::Refusal),
    /// The message cannot be built.
    #[error("the job's message is invalid")]
    Message(#[from] qstash::MessageError),
    /// The payload is larger than a message may be.
    #[error("the job's message has {bytes} bytes, more than QStash can deliver")]
    TooLarge {
        /// The size of the message.
        bytes: usize,
    },
    /// The payload is not a JSON object.
    #[error("the job's payload cannot be serialized")]
    Payload(#[from] serde_json::Error),
    /// This version cannot read a record or a script's answer.
    #[error("the job's record is unreadable: {0}")]
    Unreadable(String),
}

impl Error {
    /// Returns whether QStash rejects this message: it is wrong, and publishing it again does not help.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        match self {
            Self::Publish(error) => error.is_rejection(),
            Self::Refused(_) | Self::Message(_) | Self::TooLarge { .. } | Self::Payload(_) => true,
            Self::Record(_) | Self::Unreadable(_) => false,
        }
    }

    /// Returns whether the same call may succeed later without a change of the request, the code or the settings.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Record(error) => error.is_transient(),
            Self::Publish(error) => error.is_transient(),
            _ => false,
        }
    }

    /// Returns whether the request may have taken effect although the call failed.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        match self {
            Self::Record(error) => error.is_ambiguous(),
            Self::Publish(error) => error.is_ambiguous(),
            _ => false,
        }
    }
}
