//! Resend's error responses: a name, a message and the status, as JSON.
//!
//! Names and statuses: <https://resend.com/docs/api-reference/errors>.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use serde_json::json;

/// The limit in a 429 that a test configured.
const DEFAULT_LIMIT: usize = 5;

/// The errors of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// 500 `application_error`: an unexpected error of the provider.
    ApplicationError,
    /// 409 `concurrent_idempotent_requests`: the first request with this key has no response yet.
    ConcurrentIdempotentRequests,
    /// 429 `daily_quota_exceeded`.
    DailyQuotaExceeded,
    /// 403 `validation_error`: the sender's domain is not verified.
    DomainNotVerified,
    /// 500 `internal_server_error`.
    InternalServerError,
    /// 403 `invalid_api_key`.
    InvalidApiKey,
    /// 422 `invalid_attachment`: neither content nor path.
    InvalidAttachment,
    /// 422 `validation_error`: a field is invalid.
    InvalidField,
    /// 422 `invalid_from_address`.
    InvalidFromAddress,
    /// 400 `invalid_idempotency_key`: empty, or over 256 characters.
    InvalidIdempotencyKey,
    /// 409 `invalid_idempotent_request`: the key was used with another payload.
    InvalidIdempotentRequest,
    /// 405 `method_not_allowed`.
    MethodNotAllowed,
    /// 401 `missing_api_key`.
    MissingApiKey,
    /// 422 `missing_required_field`.
    MissingRequiredField,
    /// 403 without a name: no `User-Agent`, which is rejected in front of Resend.
    MissingUserAgent,
    /// 429 `monthly_quota_exceeded`.
    MonthlyQuotaExceeded,
    /// 404 `not_found`.
    NotFound,
    /// 429 `rate_limit_exceeded`.
    RateLimitExceeded,
    /// 401 `restricted_api_key`: the key has other permissions.
    RestrictedApiKey,
    /// 451 `security_error`: the request looks harmful.
    SecurityError,
    /// 400 `validation_error`: the body cannot be read.
    UnreadableBody,
}

impl Code {
    /// Returns the name in the response.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ApplicationError => "application_error",
            Self::ConcurrentIdempotentRequests => "concurrent_idempotent_requests",
            Self::DailyQuotaExceeded => "daily_quota_exceeded",
            Self::DomainNotVerified | Self::InvalidField | Self::UnreadableBody => {
                "validation_error"
            }
            Self::InternalServerError => "internal_server_error",
            Self::InvalidApiKey => "invalid_api_key",
            Self::InvalidAttachment => "invalid_attachment",
            Self::InvalidFromAddress => "invalid_from_address",
            Self::InvalidIdempotencyKey => "invalid_idempotency_key",
            Self::InvalidIdempotentRequest => "invalid_idempotent_request",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::MissingApiKey => "missing_api_key",
            Self::MissingRequiredField => "missing_required_field",
            Self::MissingUserAgent => "missing_user_agent",
            Self::MonthlyQuotaExceeded => "monthly_quota_exceeded",
            Self::NotFound => "not_found",
            Self::RateLimitExceeded => "rate_limit_exceeded",
            Self::RestrictedApiKey => "restricted_api_key",
            Self::SecurityError => "security_error",
        }
    }

    /// Returns the HTTP status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::InvalidIdempotencyKey | Self::UnreadableBody => StatusCode::BAD_REQUEST,
            Self::MissingApiKey | Self::RestrictedApiKey => StatusCode::UNAUTHORIZED,
            Self::DomainNotVerified | Self::InvalidApiKey | Self::MissingUserAgent => {
                StatusCode::FORBIDDEN
            }
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::ConcurrentIdempotentRequests | Self::InvalidIdempotentRequest => {
                StatusCode::CONFLICT
            }
            Self::InvalidAttachment
            | Self::InvalidField
            | Self::InvalidFromAddress
            | Self::MissingRequiredField => StatusCode::UNPROCESSABLE_ENTITY,
            Self::DailyQuotaExceeded | Self::MonthlyQuotaExceeded | Self::RateLimitExceeded => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::SecurityError => StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS,
            Self::ApplicationError | Self::InternalServerError => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::ApplicationError | Self::InternalServerError => "An unexpected error occurred.",
            Self::ConcurrentIdempotentRequests => {
                "The original request under this idempotency key is still in progress."
            }
            Self::DailyQuotaExceeded => "The daily email sending quota is reached.",
            Self::DomainNotVerified => "The domain is not verified.",
            Self::InvalidApiKey => "API key is invalid",
            Self::InvalidAttachment => "An attachment must have either a `content` or a `path`.",
            Self::InvalidField => "A field of the request is invalid.",
            Self::InvalidFromAddress => "Invalid `from` field.",
            Self::InvalidIdempotencyKey => "The key must be between 1-256 chars.",
            Self::InvalidIdempotentRequest => {
                "This idempotency key was used with a different request payload."
            }
            Self::MethodNotAllowed => "The method is not allowed for the requested path.",
            Self::MissingApiKey => "Missing API Key",
            Self::MissingRequiredField => "A required field is missing.",
            Self::MissingUserAgent => "error code: 1010",
            Self::MonthlyQuotaExceeded => "The monthly email sending quota is reached.",
            Self::NotFound => "The requested endpoint does not exist.",
            Self::RateLimitExceeded => "Too many requests.",
            Self::RestrictedApiKey => "This API key is restricted.",
            Self::SecurityError => "A security problem was found with the request.",
            Self::UnreadableBody => "The request body is not valid JSON.",
        }
    }

    /// Returns this error with a reason.
    pub(super) fn because(self, message: impl Into<String>) -> Refusal {
        Refusal {
            code: self,
            message: message.into(),
            limit: DEFAULT_LIMIT,
        }
    }
}

/// An error response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Code,
    message: String,
    /// The calls per second in the headers of a 429.
    limit: usize,
}

impl Refusal {
    /// Returns the error of a reached rate limit.
    pub(super) fn too_many(limit: usize) -> Self {
        Self {
            limit,
            ..Code::RateLimitExceeded.because(format!(
                "Too many requests. You can only make {limit} requests per second. See rate limit response headers for more \
                 information."
            ))
        }
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        code.because(code.message())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.code.status();
        if self.code == Code::MissingUserAgent {
            return (status, self.message).into_response();
        }
        let body = json!({
            "statusCode": status.as_u16(),
            "name": self.code.name(),
            "message": self.message,
        });
        let mut response = (status, Json(body)).into_response();
        if self.code == Code::RateLimitExceeded {
            let limits = [
                ("ratelimit-limit", self.limit),
                ("ratelimit-remaining", 0),
                ("ratelimit-reset", 1),
                ("retry-after", 1),
            ];
            let headers = response.headers_mut();
            for (name, value) in limits {
                headers.insert(name, HeaderValue::from(value));
            }
        }
        response
    }
}
