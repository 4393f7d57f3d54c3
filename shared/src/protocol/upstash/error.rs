//! Errors of calls to Upstash. The variants differ in the caller's next step.

use std::time::Duration;

/// Why a call to Redis failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No complete answer arrived: connection refused, broken or timed out, or a gateway answered 5xx. It is unknown
    /// whether the command ran, unless `sent` is false.
    #[error("Redis is unavailable")]
    Transport {
        /// Whether the request may have reached the store.
        sent: bool,
        /// The HTTP client's error without the address; absent for a 5xx of a gateway.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// The token was rejected.
    #[error("Redis rejected the configured token")]
    Unauthorized,
    /// The plan's request rate or daily volume is used up.
    #[error("Redis's request limit is used up")]
    RateLimited {
        /// How long to wait, if the store says so.
        retry_after: Option<Duration>,
    },
    /// The plan's disk is full: writes fail until data is deleted or the plan is changed.
    #[error("Redis is full: {0}")]
    Full(String),
    /// The store is up but cannot run this now (loading, read-only replica, busy with a script). The command did not
    /// run.
    #[error("Redis is not ready: {0}")]
    NotReady(String),
    /// The command itself failed: a wrong type, a syntax error, or an error raised by a script.
    #[error("Redis rejected the command: {0}")]
    Command(String),
    /// The protocol cannot represent this command; nothing was sent.
    #[error("the command cannot be sent to Redis: {0}")]
    Unsendable(&'static str),
    /// The answer does not match the protocol or the caller's type.
    #[error("unexpected response from Redis: {0}")]
    Decode(String),
}

impl Error {
    /// Returns whether the same call may succeed later without a change.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Transport { .. } | Self::RateLimited { .. } | Self::Full(_) | Self::NotReady(_)
        )
    }

    /// Returns whether the command may have run although the call failed.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Transport { sent: true, .. })
    }

    /// Returns whether the command certainly did not run, so that even a non-repeatable one may be repeated.
    #[must_use]
    pub(super) fn never_ran(&self) -> bool {
        matches!(
            self,
            Self::Transport { sent: false, .. } | Self::NotReady(_)
        )
    }

    /// Returns whether the answer, and perhaps the command, was lost.
    #[must_use]
    pub(super) fn was_cut(&self) -> bool {
        matches!(self, Self::Transport { .. })
    }

    /// Returns whether the store does not have the script's hash.
    #[must_use]
    pub(super) fn is_unknown_script(&self) -> bool {
        matches!(self, Self::Command(message) if message.starts_with("NOSCRIPT"))
    }

    /// Parses Redis's error line; its first word is the error's kind.
    pub(super) fn from_line(line: String) -> Self {
        match line.split(' ').next().unwrap_or_default() {
            "LOADING" | "READONLY" | "BUSY" | "MASTERDOWN" | "TRYAGAIN" | "CLUSTERDOWN" => {
                Self::NotReady(line)
            }
            "WRONGPASS" | "NOAUTH" => Self::Unauthorized,
            _ => Self::from_quota(line).unwrap_or_else(Self::Command),
        }
    }

    /// Parses the error line of a used-up quota, and returns any other line unchanged. The status of such an answer is
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

/// Upstash's message when the plan's disk is full. Source: its troubleshooting page of this name.
const FULL: &str = "DB capacity quota exceeded";

/// Returns whether the plan's daily, monthly or per-minute quota is used up: `max daily request limit exceeded`, `max
/// requests limit exceeded` (source: Upstash's troubleshooting pages of these names), or the run time of scripts, whose
/// text is an assumption.
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
