//! Errors of calls to QStash. The variants differ in the caller's next step.

use std::time::Duration;

use crate::protocol::http;

/// Why a call to QStash failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was sent: an argument would have changed its meaning on the wire.
    #[error("not sent to QStash: {0}")]
    Argument(&'static str),
    /// The connection failed, broke or timed out. The source omits the address.
    #[error("QStash is unavailable")]
    Transport(#[source] reqwest::Error),
    /// The token is unknown or lacks the right.
    #[error("QStash rejected the configured token")]
    Unauthorized,
    /// Too many requests, in this second or on this day.
    #[error("QStash's rate limit is used up")]
    RateLimited {
        /// How long to wait, if the answer says so.
        retry_after: Option<Duration>,
        /// Whether the daily limit is used up, which a retry within the invocation cannot outlast.
        daily: bool,
    },
    /// The plan's quota is used up (412): schedules, queues, size.
    #[error("QStash's quota is used up: {0}")]
    Quota(String),
    /// Any other answer that is not a success.
    #[error("QStash answered {status}: {reason}")]
    Refused {
        /// The status of the answer.
        status: u16,
        /// The reason in the answer, shortened.
        reason: String,
    },
    /// A success whose body does not follow the protocol.
    #[error("QStash's response is unreadable")]
    Decode(#[source] serde_json::Error),
    /// A success whose body is larger than this client reads. Request a smaller page.
    #[error("QStash's response is too large")]
    TooLarge,
}

impl Error {
    /// Returns whether QStash may have done the call although it failed. Only then must a caller that publishes again
    /// use the same deduplication id.
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

    /// Returns whether the call timed out.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Transport(source) if source.is_timeout())
    }

    /// Returns whether the same call may succeed later without a change.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Transport(source) => !source.is_builder(),
            Self::RateLimited { .. } => true,
            Self::Refused { status, .. } => *status >= 500,
            _ => false,
        }
    }

    /// Returns whether QStash rejected this request (4xx): it is wrong, and repeating it does not help.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        match self {
            Self::Refused { status, .. } => (400..500).contains(status) && *status != 408,
            Self::Argument(_) => true,
            _ => false,
        }
    }

    /// Returns how long to wait, if QStash says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Returns whether a quota or the daily limit of the plan is used up.
    #[must_use]
    pub fn is_quota(&self) -> bool {
        matches!(self, Self::Quota(_) | Self::RateLimited { daily: true, .. })
    }

    /// Turns a 404 into `None`, which is an answer and not an error.
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
    /// The token contains characters that a header cannot contain.
    #[error("QStash's token has characters that are not allowed in a header")]
    Token,
    /// The HTTP client cannot be built.
    #[error(transparent)]
    Http(#[from] http::Error),
}
