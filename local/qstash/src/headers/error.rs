//! Which header cannot be understood, and why.

use crate::cron;
use crate::destination;
use crate::duration;
use crate::flow_control;
use crate::name;
use crate::redaction;
use crate::retry_expression;

/// Which header cannot be understood, and why.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A value that is no text.
    #[error("the value of {0} is not valid UTF-8")]
    Encoding(String),
    /// A message of Upstash Workflow.
    #[error("{0}: Upstash Workflow is not available on this server, publish a plain message")]
    Workflow(String),
    /// A callback that is to wait.
    #[error("{0} is refused: a callback cannot be delayed")]
    DelayedCallback(String),
    /// A name or value that could not be sent on.
    #[error("{0} cannot be forwarded as a header")]
    Forward(String),
    /// A method that is not delivered with.
    #[error("invalid Upstash-Method `{0}`")]
    Method(String),
    /// A number out of range.
    #[error("invalid {header} `{value}`: {expected}")]
    Number {
        /// Which header.
        header: &'static str,
        /// What it said.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A duration that is none.
    #[error("invalid {header}: {source}")]
    Duration {
        /// Which header.
        header: &'static str,
        /// Why.
        source: duration::Error,
    },
    /// A callback that cannot be called.
    #[error("invalid {header}: {source}")]
    Callback {
        /// Which header.
        header: &'static str,
        /// Why.
        source: destination::Error,
    },
    /// A name with other characters.
    #[error("invalid {header}: {source}")]
    Name {
        /// Which header.
        header: &'static str,
        /// Why.
        source: name::Error,
    },
    /// An expression that cannot be calculated.
    #[error("invalid Upstash-Retry-Delay: {0}")]
    RetryDelay(#[from] retry_expression::Error),
    /// Limits that limit nothing.
    #[error("invalid Upstash-Flow-Control-Value: {0}")]
    FlowControl(#[from] flow_control::Error),
    /// A field that cannot be hidden.
    #[error("invalid Upstash-Redact-Fields: {0}")]
    Redaction(#[from] redaction::Error),
    /// A schedule that never comes.
    #[error("invalid Upstash-Cron: {0}")]
    Cron(#[from] cron::Error),
}
