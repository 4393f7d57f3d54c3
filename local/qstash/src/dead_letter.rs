//! Failed messages.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::Response;
use crate::message::Message;

/// An entry's id, `<milliseconds>-<number>`, as in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct DeadLetterId(pub(crate) u64, pub(crate) u64);

impl DeadLetterId {
    /// Parses `1725323658779-0`; none for an invalid id.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (millis, number) = text.split_once('-')?;
        Some(Self(millis.parse().ok()?, number.parse().ok()?))
    }
}

impl fmt::Display for DeadLetterId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.0, self.1)
    }
}

/// A failed message, with the last response. Its body stays in the table of bodies.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeadLetter {
    /// The message.
    pub(crate) message: Message,
    /// When it failed, in wall-clock milliseconds.
    pub(crate) failed_ms: u64,
    /// The last response.
    pub(crate) response: Response,
    /// When it expires, in broker milliseconds. Entries of an older store do not expire.
    #[serde(default)]
    pub(crate) expires_ms: Option<u64>,
}

impl DeadLetter {
    /// Returns whether it has expired.
    pub(crate) fn is_expired(&self, broker_ms: u64) -> bool {
        self.expires_ms
            .is_some_and(|expires_ms| expires_ms <= broker_ms)
    }
}
