//! What can go wrong between this client and Upstash, told apart by what a caller could do about it.

use std::time::Duration;

/// Why a call to Redis gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No whole answer came: refused, cut, timed out, or a gateway in between answered 5xx. Whether the command ran
    /// is unknown, unless `sent` is false.
    #[error("Redis is unavailable")]
    Transport {
        /// Whether the request may have reached the store.
        sent: bool,
        /// What the HTTP client saw, without the address; absent for a 5xx of a gateway in between.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// The token was refused.
    #[error("Redis rejected the configured token")]
    Unauthorized,
    /// The plan's request rate or daily volume is used up.
    #[error("Redis's request limit is used up")]
    RateLimited {
        /// How long to wait, where the store says so.
        retry_after: Option<Duration>,
    },
    /// The plan's disk is full: nothing can be written until something is deleted or the plan is changed.
    #[error("Redis is full: {0}")]
    Full(String),
    /// The store is up but does not serve this now (loading, read-only replica, busy with a script). The command did
    /// not run.
    #[error("Redis is not ready: {0}")]
    NotReady(String),
    /// The command ran into an error of its own: a wrong type, a syntax error, an error raised by a script.
    #[error("Redis rejected the command: {0}")]
    Command(String),
    /// The protocol cannot carry this; nothing was sent.
    #[error("the command cannot be sent to Redis: {0}")]
    Unsendable(&'static str),
    /// The answer was not what the protocol or the caller's type says.
    #[error("unexpected response from Redis: {0}")]
    Decode(String),
}

impl Error {
    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Transport { .. } | Self::RateLimited { .. } | Self::Full(_) | Self::NotReady(_)
        )
    }

    /// Whether the command may have run although the call failed.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Transport { sent: true, .. })
    }

    /// Whether the command certainly did not run, so that even one that must not run twice may be repeated.
    #[must_use]
    pub(super) fn never_ran(&self) -> bool {
        matches!(
            self,
            Self::Transport { sent: false, .. } | Self::NotReady(_)
        )
    }

    /// Whether the answer, and perhaps the command, was lost on the way.
    #[must_use]
    pub(super) fn was_cut(&self) -> bool {
        matches!(self, Self::Transport { .. })
    }

    /// Whether the store does not know the script's hash.
    #[must_use]
    pub(super) fn is_unknown_script(&self) -> bool {
        matches!(self, Self::Command(message) if message.starts_with("NOSCRIPT"))
    }

    /// Reads Redis's error line; its first word is the error's kind.
    pub(super) fn from_line(line: String) -> Self {
        match line.split(' ').next().unwrap_or_default() {
            "LOADING" | "READONLY" | "BUSY" | "MASTERDOWN" | "TRYAGAIN" | "CLUSTERDOWN" => {
                Self::NotReady(line)
            }
            "WRONGPASS" | "NOAUTH" => Self::Unauthorized,
            _ => Self::from_quota(line).unwrap_or_else(Self::Command),
        }
    }

    /// Reads the error line of a quota that is used up; any other line is given back. Which status such an answer has is
    /// not documented, so the text alone decides.
    pub(super) fn from_quota(line: String) -> Result<Self, String> {
        if is_spent(&line) {
            Ok(Self::RateLimited { retry_after: None })
        } else if line.contains(FULL) {
            Ok(Self::Full(line))
        } else {
            Err(line)
        }
    }
}

/// What Upstash says when the plan's disk is full. Source: its troubleshooting page of this name.
const FULL: &str = "DB capacity quota exceeded";

/// Whether the plan's day, month or minute is used up: `max daily request limit exceeded`, `max requests limit exceeded`
/// (source: Upstash's troubleshooting pages of these names), and the run time of scripts, whose text is a guess.
fn is_spent(line: &str) -> bool {
    [
        "max daily request limit",
        "max requests limit",
        "max script run time",
    ]
    .iter()
    .any(|limit| line.contains(limit))
}

impl From<reqwest::Error> for Error {
    fn from(source: reqwest::Error) -> Self {
        Self::Transport {
            sent: !source.is_connect() && !source.is_builder(),
            source: Some(source.without_url()),
        }
    }
}
