//! What a publisher asked for: the parsed `Upstash-*` headers of a message.

use serde::{Deserialize, Serialize};

use crate::destination::Target;
use crate::flow_control::FlowControl;
use crate::header_map::Headers;
use crate::name::Name;
use crate::redaction::Redaction;
use crate::retry_expression::RetryExpression;

/// Retries when the publisher names none, as on the paid plans.
pub(crate) const DEFAULT_RETRIES: u32 = 3;

/// The method of a delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    /// Sends no body of its own meaning, but the body is sent all the same.
    Get,
    /// What is used when nothing is said.
    #[default]
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// Parses a method name, in either case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_uppercase().as_str() {
            "GET" => Self::Get,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => return None,
        })
    }

    /// The method for the HTTP client.
    pub(crate) fn to_http(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Post => http::Method::POST,
            Self::Put => http::Method::PUT,
            Self::Patch => http::Method::PATCH,
            Self::Delete => http::Method::DELETE,
        }
    }
}

/// When a message may be delivered first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Start {
    /// At once.
    #[default]
    Now,
    /// After so many milliseconds.
    After(u64),
    /// At this wall-clock time, in milliseconds since the epoch.
    At(u64),
}

/// A callback: where to, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Callback {
    /// Where the outcome is reported.
    pub(crate) target: Target,
    /// Method, retries, delay and headers of the report; it has no callbacks itself.
    pub(crate) options: Options,
}

/// What a publisher asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    /// The method of the delivery.
    pub(crate) method: Method,
    /// Forwarded headers, without their prefix, and the content type.
    pub(crate) headers: Headers,
    /// When the first delivery may happen.
    pub(crate) start: Start,
    /// Attempts after the first.
    pub(crate) retries: Option<u32>,
    /// The delay before each retry, if not the default schedule.
    pub(crate) retry_delay: Option<RetryExpression>,
    /// How long the receiver may take, in milliseconds of real time.
    pub(crate) timeout_ms: Option<u64>,
    /// Told after every attempt.
    pub(crate) callback: Option<Box<Callback>>,
    /// Told once, when the message is given up.
    pub(crate) failure_callback: Option<Box<Callback>>,
    /// Labels, for filters.
    pub(crate) labels: Vec<String>,
    /// The queue that a scheduled message goes through.
    pub(crate) queue: Option<Name>,
    /// Limits shared with the other messages of the key.
    pub(crate) flow_control: Option<FlowControl>,
    /// What listings hide.
    pub(crate) redaction: Redaction,
}

impl Options {
    /// Attempts after the first.
    pub(crate) fn max_retries(&self) -> u32 {
        self.retries.unwrap_or(DEFAULT_RETRIES)
    }
}
