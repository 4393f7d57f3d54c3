//! Errors as clients see them: problem details (RFC 9457) with a stable code.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// A handler's response, or a problem instead.
pub type Result<T> = std::result::Result<T, Problem>;

/// A problem. It contains only what a client may know; the cause is logged separately.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The status code.
    pub status: StatusCode,
    /// The stable code of the problem, such as `job_not_found`.
    pub code: &'static str,
    /// One sentence that says what to do.
    pub detail: Cow<'static, str>,
    /// The invalid fields of a body.
    pub errors: Vec<FieldError>,
    /// The wait before the same call may succeed.
    pub retry_after: Option<Duration>,
}

/// The error of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The field, as a JSON pointer (RFC 6901) into the body.
    pub pointer: String,
    /// The description of the error.
    pub detail: String,
}

/// A problem document (RFC 9457).
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub struct ProblemDocument<'a> {
    /// Always `about:blank`: the code identifies the problem.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The reason phrase of the status code.
    title: &'static str,
    /// The status code.
    status: u16,
    /// The error, and how to fix it.
    detail: &'a str,
    /// The stable code of the problem.
    code: &'static str,
    /// The id of the request. Quote it in support requests.
    request_id: &'a str,
    /// The invalid fields.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// Returns a problem with this status and code.
    #[must_use]
    pub fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Returns the problem of an unavailable dependency.
    #[must_use]
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
            .after(Duration::from_secs(5))
    }

    /// Adds a wait before the next try.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Adds the invalid fields.
    #[must_use]
    pub fn fields(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Returns the response, with the request's id.
    #[must_use]
    pub fn response(&self, request_id: &str) -> Response {
        let document = ProblemDocument {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            request_id,
            errors: &self.errors,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds(wait));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Returns whole seconds, rounded up, so that the wait is long enough.
fn seconds(wait: Duration) -> HeaderValue {
    let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    HeaderValue::from(whole)
}

/// A handler does not know the request's id; the edge writes the body.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
