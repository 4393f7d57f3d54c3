//! Messages that were given up.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::Response;
use crate::message::Message;

/// An entry's id, `<milliseconds>-<number>`, as a stream would number it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct DeadLetterId(pub(crate) u64, pub(crate) u64);

impl DeadLetterId {
    /// Parses `1725323658779-0`; what was never given out is none.
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

/// A message that was given up, with the last answer. Its body stays where bodies stand.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeadLetter {
    /// The message.
    pub(crate) message: Message,
    /// When it was given up, in wall-clock milliseconds.
    pub(crate) failed_ms: u64,
    /// The last answer.
    pub(crate) response: Response,
    /// When it is forgotten, in broker milliseconds. Entries of an older store have no end.
    #[serde(default)]
    pub(crate) expires_ms: Option<u64>,
}

impl DeadLetter {
    /// Whether the plan's time for it is over.
    pub(crate) fn is_expired(&self, broker_ms: u64) -> bool {
        self.expires_ms
            .is_some_and(|expires_ms| expires_ms <= broker_ms)
    }
}
