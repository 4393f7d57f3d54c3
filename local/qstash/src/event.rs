//! What happened to a message: the entries of the log.
//!
//! Source: <https://upstash.com/docs/qstash/howto/debug-logs>.

use serde::{Deserialize, Serialize};

use crate::header_map::Headers;
use crate::message::Message;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum State {
    /// Accepted.
    Created,
    /// An attempt began.
    Active,
    /// Another attempt will be made.
    Retry,
    /// An attempt failed.
    Error,
    /// The receiver took it.
    Delivered,
    /// Given up, and moved to the dead-letter queue.
    Failed,
    /// Withdrawn.
    Cancelled,
}

impl State {
    /// The name that the API uses.
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

    /// Whether the filter value `name` means this state; `IN_PROGRESS` stands for three.
    pub(crate) fn is(self, name: &str) -> bool {
        let in_progress = matches!(self, Self::Active | Self::Retry | Self::Error);
        name.eq_ignore_ascii_case(self.as_str())
            || (in_progress && name.eq_ignore_ascii_case("IN_PROGRESS"))
    }
}

/// A receiver's answer, or why there was none.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Response {
    /// The status; 0 when nothing came back.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: Headers,
    /// The body, base64.
    pub(crate) body: String,
    /// Why nothing came back.
    pub(crate) error: Option<String>,
}

/// One entry of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    /// When, in wall-clock milliseconds.
    pub(crate) time_ms: u64,
    /// What happened.
    pub(crate) state: State,
    /// The message as it was then.
    pub(crate) message: Message,
    /// When the next attempt is made, in wall-clock milliseconds.
    pub(crate) next_delivery_ms: Option<u64>,
    /// What the receiver said, when it did not take the message.
    pub(crate) response: Option<Response>,
}

impl Event {
    /// An entry without an answer.
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
