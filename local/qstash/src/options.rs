//! The publisher's options: the parsed `Upstash-*` headers of a message.

use serde::{Deserialize, Serialize};

use crate::destination::Target;
use crate::flow_control::FlowControl;
use crate::header_map::Headers;
use crate::name::Name;
use crate::redaction::Redaction;
use crate::retry_expression::RetryExpression;

/// The default number of retries, as on the paid plans.
pub(crate) const DEFAULT_RETRIES: u32 = 3;

/// The method of a delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    /// `GET`. The body is sent although it has no meaning.
    Get,
    /// `POST`, the default.
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

    /// Returns the method for the HTTP client.
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

/// The time of the first delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Start {
    /// At once.
    #[default]
    Now,
    /// After this number of milliseconds.
    After(u64),
    /// At this wall-clock time, in milliseconds since the epoch.
    At(u64),
}

/// A callback with its destination and options.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Callback {
    /// The destination of the report.
    pub(crate) target: Target,
    /// Method, retries, delay and headers of the report; it has no callbacks itself.
    pub(crate) options: Options,
}

/// The publisher's options.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    /// The method of the delivery.
    pub(crate) method: Method,
    /// Forwarded headers, without their prefix, and the content type.
    pub(crate) headers: Headers,
    /// The time of the first delivery.
    pub(crate) start: Start,
    /// Attempts after the first.
    pub(crate) retries: Option<u32>,
    /// The delay before each retry, if not the default schedule.
    pub(crate) retry_delay: Option<RetryExpression>,
    /// The receiver's timeout, in milliseconds of real time.
    pub(crate) timeout_ms: Option<u64>,
    /// The callback after every attempt.
    pub(crate) callback: Option<Box<Callback>>,
    /// The callback after a final failure.
    pub(crate) failure_callback: Option<Box<Callback>>,
    /// Labels, for filters.
    pub(crate) labels: Vec<String>,
    /// The queue that a scheduled message goes through.
    pub(crate) queue: Option<Name>,
    /// Limits shared with the other messages of the key.
    pub(crate) flow_control: Option<FlowControl>,
    /// The redacted fields of listings.
    pub(crate) redaction: Redaction,
}

impl Options {
    /// Returns the maximum number of retries.
    pub(crate) fn max_retries(&self) -> u32 {
        self.retries.unwrap_or(DEFAULT_RETRIES)
    }
}
