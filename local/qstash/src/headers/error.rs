//! Invalid headers.

use crate::cron;
use crate::destination;
use crate::duration;
use crate::flow_control;
use crate::name;
use crate::redaction;
use crate::retry_expression;

/// An invalid header, with the reason.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The value is not text.
    #[error("the value of {0} is not valid UTF-8")]
    Encoding(String),
    /// The message belongs to Upstash Workflow.
    #[error("{0}: Upstash Workflow is not available on this server, publish a plain message")]
    Workflow(String),
    /// The callback has a delay.
    #[error("{0} is refused: a callback cannot be delayed")]
    DelayedCallback(String),
    /// The name or value cannot be forwarded.
    #[error("{0} cannot be forwarded as a header")]
    Forward(String),
    /// The method is not supported.
    #[error("invalid Upstash-Method `{0}`")]
    Method(String),
    /// The number is out of range.
    #[error("invalid {header} `{value}`: {expected}")]
    Number {
        /// The header.
        header: &'static str,
        /// Its value.
        value: String,
        /// The expected value.
        expected: &'static str,
    },
    /// The duration is invalid.
    #[error("invalid {header}: {source}")]
    Duration {
        /// The header.
        header: &'static str,
        /// The reason.
        source: duration::Error,
    },
    /// The callback's destination is invalid.
    #[error("invalid {header}: {source}")]
    Callback {
        /// The header.
        header: &'static str,
        /// The reason.
        source: destination::Error,
    },
    /// The name has invalid characters.
    #[error("invalid {header}: {source}")]
    Name {
        /// The header.
        header: &'static str,
        /// The reason.
        source: name::Error,
    },
    /// The expression is invalid.
    #[error("invalid Upstash-Retry-Delay: {0}")]
    RetryDelay(#[from] retry_expression::Error),
    /// The limits are invalid.
    #[error("invalid Upstash-Flow-Control-Value: {0}")]
    FlowControl(#[from] flow_control::Error),
    /// The field cannot be redacted.
    #[error("invalid Upstash-Redact-Fields: {0}")]
    Redaction(#[from] redaction::Error),
    /// The cron expression is invalid or has no time.
    #[error("invalid Upstash-Cron: {0}")]
    Cron(#[from] cron::Error),
}
