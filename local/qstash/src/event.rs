//! The entries of the log: events of messages.
//!
//! Source: <https://upstash.com/docs/qstash/howto/debug-logs>.

use serde::{Deserialize, Serialize};

use crate::header_map::Headers;
use crate::message::Message;

/// The kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum State {
    /// Accepted.
    Created,
    /// An attempt started.
    Active,
    /// Another attempt will be made.
    Retry,
    /// An attempt failed.
    Error,
    /// The receiver accepted it.
    Delivered,
    /// It failed and moved to the dead-letter queue.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl State {
    /// Returns its name in the API.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Active => "ACTIVE",
            Self::Retry => "RETRY",
            Self::Error => "ERROR",
            Self::Delivered => "DELIVERED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Returns whether the filter value `name` selects this state; `IN_PROGRESS` selects three.
    pub(crate) fn is(self, name: &str) -> bool {
        let in_progress = matches!(self, Self::Active | Self::Retry | Self::Error);
        name.eq_ignore_ascii_case(self.as_str())
            || (in_progress && name.eq_ignore_ascii_case("IN_PROGRESS"))
    }
}

/// A receiver's response, or why there was none.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Response {
    /// The status; 0 without a response.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: Headers,
    /// The body, base64.
    pub(crate) body: String,
    /// Why there was no response.
    pub(crate) error: Option<String>,
}

/// One entry of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    /// The time, in wall-clock milliseconds.
    pub(crate) time_ms: u64,
    /// The kind.
    pub(crate) state: State,
    /// The message as it was then.
    pub(crate) message: Message,
    /// When the next attempt is made, in wall-clock milliseconds.
    pub(crate) next_delivery_ms: Option<u64>,
    /// The receiver's response, if it did not accept the message.
    pub(crate) response: Option<Response>,
}

impl Event {
    /// Creates an entry without a response.
    pub(crate) fn new(state: State, message: &Message, time_ms: u64) -> Self {
        Self {
            time_ms,
            state,
            message: message.clone(),
            next_delivery_ms: None,
            response: None,
        }
    }
}
