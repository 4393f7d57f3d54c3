//! The responses that API Gateway itself generates.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

use crate::listening::Answer;

/// Why a request has no response from a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The request is one that no client of API Gateway can send.
    Malformed,
    /// The client did not finish its body in time.
    BodyTooSlow,
    /// No route has this method and path.
    NoRoute,
    /// The body or its event is too large.
    BodyTooLarge,
    /// The request line and headers are too large.
    HeadTooLarge,
    /// The function failed, ended, or returned an invalid response.
    Failed,
    /// The function timed out, or its reserved concurrency is in use. Lambda answers 429 for the latter; the resulting
    /// status of HTTP APIs is a guess.
    Unavailable,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Malformed => "Bad Request",
            Self::BodyTooSlow => "Request Timeout",
            Self::NoRoute => "Not Found",
            // API Gateway's reason phrases are older than those of RFC 9110.
            Self::BodyTooLarge => "Request Entity Too Large",
            Self::HeadTooLarge => "Request Header Fields Too Large",
            Self::Failed => "Internal Server Error",
            Self::Unavailable => "Service Unavailable",
        }
    }

    /// Returns the response.
    pub(super) fn answer(self) -> Answer {
        let body = format!(r#"{{"message":"{}"}}"#, self.message());
        let mut answer = Response::new(Full::new(Bytes::from(body)));
        *answer.status_mut() = self.status();
        answer
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if matches!(
            self,
            Self::BodyTooSlow | Self::BodyTooLarge | Self::Malformed
        ) {
            // The rest of the body must not be read as the next request.
            answer
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }
}
