//! The rejection of a call, with its status code: `{"error": "..."}`. Only this module knows status codes.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::error::causes;
use crate::usage::Spent;
use crate::{cron, destination, filter, flow_control, headers, hosts, name, plan, publish, store};

/// Why a call is rejected.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The token is missing or wrong.
    #[error("unauthorized: invalid or missing token")]
    Unauthorized,
    /// The named resource does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The call is invalid.
    #[error("{0}")]
    Invalid(String),
    /// The account's plan does not allow it.
    #[error(transparent)]
    Plan(#[from] plan::Error),
    /// The day's quota is exhausted.
    #[error(transparent)]
    Spent(#[from] Spent),
    /// The limit of management calls per second is reached.
    #[error("too many management calls in this second: try again after the reset")]
    TooManyCalls,
    /// The store failed; the reason is in the log.
    #[error("internal error")]
    Store(#[from] store::Error),
}

impl Refusal {
    fn invalid(error: &dyn std::error::Error) -> Self {
        Self::Invalid(causes(error))
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Plan(_) => StatusCode::PRECONDITION_FAILED,
            Self::Spent(_) | Self::TooManyCalls => StatusCode::TOO_MANY_REQUESTS,
            Self::Store(store::Error::Closed) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Self::Store(error) = &self {
            tracing::error!(error = causes(error), "API request failed; answered 500");
        }
        let mut response =
            (self.status(), Json(json!({ "error": self.to_string() }))).into_response();
        if let Self::Spent(spent) = self {
            let headers = response.headers_mut();
            headers.insert("ratelimit-limit", HeaderValue::from(spent.limit));
            headers.insert("ratelimit-remaining", HeaderValue::from(spent.remaining));
            headers.insert("ratelimit-reset", HeaderValue::from(spent.reset));
        }
        response
    }
}

impl From<headers::Error> for Refusal {
    fn from(error: headers::Error) -> Self {
        Self::invalid(&error)
    }
}

impl From<destination::Error> for Refusal {
    fn from(error: destination::Error) -> Self {
        Self::invalid(&error)
    }
}

impl From<filter::Error> for Refusal {
    fn from(error: filter::Error) -> Self {
        Self::invalid(&error)
    }
}

impl From<flow_control::Error> for Refusal {
    fn from(error: flow_control::Error) -> Self {
        Self::invalid(&error)
    }
}

impl From<name::Error> for Refusal {
    fn from(error: name::Error) -> Self {
        Self::invalid(&error)
    }
}

impl From<cron::Error> for Refusal {
    fn from(error: cron::Error) -> Self {
        Self::invalid(&error)
    }
}

impl From<hosts::Error> for Refusal {
    fn from(error: hosts::Error) -> Self {
        Self::invalid(&error)
    }
}

impl From<publish::Error> for Refusal {
    fn from(error: publish::Error) -> Self {
        match error {
            publish::Error::UnknownGroup(_) => Self::NotFound(error.to_string()),
            publish::Error::Plan(error) => Self::Plan(error),
            publish::Error::Spent(spent) => Self::Spent(spent),
        }
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::Invalid(format!("invalid request body: {error}"))
    }
}
