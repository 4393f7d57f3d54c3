//! What can go wrong between the client and QStash, told apart by what a caller would do about it.

use std::time::Duration;

use crate::protocol::http;

/// Why a call to QStash did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was sent: an argument would have meant something else on the wire than the caller meant.
    #[error("not sent to QStash: {0}")]
    Argument(&'static str),
    /// The connection failed, broke or took too long. The address is left out of the source.
    #[error("QStash is unavailable")]
    Transport(#[source] reqwest::Error),
    /// The token is unknown or has no right to do this.
    #[error("QStash rejected the configured token")]
    Unauthorized,
    /// Too many requests, in this second or on this day.
    #[error("QStash's rate limit is used up")]
    RateLimited {
        /// How long to wait, where the answer tells.
        retry_after: Option<Duration>,
        /// Whether the limit is that of the day, which a retry within the invocation cannot outlast.
        daily: bool,
    },
    /// The plan allows no more of this (412): schedules, queues, size.
    #[error("QStash's quota is used up: {0}")]
    Quota(String),
    /// Any other answer that is not a success.
    #[error("QStash answered {status}: {reason}")]
    Refused {
        /// The status of the answer.
        status: u16,
        /// What the answer says, shortened.
        reason: String,
    },
    /// A success whose body is not what the protocol says.
    #[error("QStash's response is unreadable")]
    Decode(#[source] serde_json::Error),
    /// A success whose body is larger than this client reads. A smaller page helps.
    #[error("QStash's response is too large")]
    TooLarge,
}

impl Error {
    /// Whether QStash may have done what was asked although the call failed. Only then must a caller who publishes
    /// again use the same deduplication id.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        match self {
            Self::Transport(source) => !source.is_connect() && !source.is_builder(),
            Self::Refused { status, .. } => *status >= 500,
            Self::Decode(_) | Self::TooLarge => true,
            Self::Argument(_) | Self::Unauthorized | Self::RateLimited { .. } | Self::Quota(_) => {
                false
            }
        }
    }

    /// Whether the deadline ended the call.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Transport(source) if source.is_timeout())
    }

    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Transport(source) => !source.is_builder(),
            Self::RateLimited { .. } => true,
            Self::Refused { status, .. } => *status >= 500,
            _ => false,
        }
    }

    /// Whether QStash rejects this very request (4xx): the request is wrong, and repeating it changes nothing.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        match self {
            Self::Refused { status, .. } => (400..500).contains(status) && *status != 408,
            Self::Argument(_) => true,
            _ => false,
        }
    }

    /// How long to wait, where QStash says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the plan allows no more for now: a quota or the limit of the day.
    #[must_use]
    pub fn is_quota(&self) -> bool {
        matches!(self, Self::Quota(_) | Self::RateLimited { daily: true, .. })
    }

    /// Turns «no such thing» into absence, which is an answer and not a failure.
    pub(super) fn absent<T>(self) -> Result<Option<T>, Self> {
        match self {
            Self::Refused { status: 404, .. } => Ok(None),
            other => Err(other),
        }
    }
}

/// Why the client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The address is not an http(s) URL without query and fragment.
    #[error("QStash's URL must be an http(s) URL without query and fragment")]
    Url,
    /// The token cannot stand in a header.
    #[error("QStash's token has characters that are not allowed in a header")]
    Token,
    /// The HTTP client cannot be built.
    #[error(transparent)]
    Http(#[from] http::Error),
}
