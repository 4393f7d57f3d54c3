//! SES's error responses: an error code in `x-amzn-errortype` and a JSON message.
//!
//! Codes and statuses: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors>
//! and <https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html>.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::address::Illegal;

/// The error codes of `SendEmail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The account is suspended permanently: 400.
    AccountSuspended,
    /// The request violates a rule of the API: 400.
    BadRequest,
    /// An internal error of the provider: 500.
    InternalFailure,
    /// The access key and its session token do not match: 403.
    InvalidClientTokenId,
    /// The signature is for another service: 403.
    InvalidSignature,
    /// The `Authorization` header is incomplete: 403.
    IncompleteSignature,
    /// A quota of the account is exhausted: 400.
    LimitExceeded,
    /// The custom MAIL FROM domain is not verified: 400.
    MailFromDomainNotVerified,
    /// The mail is rejected because of its sender or content: 400.
    MessageRejected,
    /// There is no signature: 403.
    MissingAuthenticationToken,
    /// A configuration set or a template that does not exist: 404.
    NotFound,
    /// Sending is paused for the account: 400.
    SendingPaused,
    /// The body is not the operation's JSON: 400.
    Serialization,
    /// The rate limit is reached: 429.
    TooManyRequests,
    /// No operation has this method and path: 404.
    UnknownOperation,
}

impl Code {
    /// Returns the name in `x-amzn-errortype`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AccountSuspended => "AccountSuspendedException",
            Self::BadRequest => "BadRequestException",
            Self::InternalFailure => "InternalFailure",
            Self::InvalidClientTokenId => "InvalidClientTokenId",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::IncompleteSignature => "IncompleteSignatureException",
            Self::LimitExceeded => "LimitExceededException",
            Self::MailFromDomainNotVerified => "MailFromDomainNotVerifiedException",
            Self::MessageRejected => "MessageRejected",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::NotFound => "NotFoundException",
            Self::SendingPaused => "SendingPausedException",
            Self::Serialization => "SerializationException",
            Self::TooManyRequests => "TooManyRequestsException",
            Self::UnknownOperation => "UnknownOperationException",
        }
    }

    /// Returns the HTTP status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::InternalFailure => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound | Self::UnknownOperation => StatusCode::NOT_FOUND,
            Self::InvalidClientTokenId
            | Self::InvalidSignature
            | Self::IncompleteSignature
            | Self::MissingAuthenticationToken => StatusCode::FORBIDDEN,
            Self::AccountSuspended
            | Self::BadRequest
            | Self::LimitExceeded
            | Self::MailFromDomainNotVerified
            | Self::MessageRejected
            | Self::SendingPaused
            | Self::Serialization => StatusCode::BAD_REQUEST,
        }
    }

    /// Returns SES's message for an error without a cause in the request.
    pub(crate) fn unprovoked(self) -> Refusal {
        let message = match self {
            Self::AccountSuspended => "Your account has been suspended.",
            Self::InternalFailure => {
                "The request processing has failed because of an unknown error."
            }
            Self::LimitExceeded => "There are too many instances of the specified resource type.",
            Self::MailFromDomainNotVerified => "The sending domain isn't verified.",
            Self::MessageRejected => "Message rejected.",
            Self::NotFound => "The resource you attempted to access doesn't exist.",
            Self::SendingPaused => "Email sending is disabled.",
            Self::TooManyRequests => "Maximum sending rate exceeded.",
            _ => "The request isn't valid.",
        };
        self.because(message)
    }

    /// Returns this code with a reason.
    pub(crate) fn because(self, message: impl Into<String>) -> Refusal {
        Refusal {
            code: self,
            message: message.into(),
        }
    }
}

/// An error response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl From<Illegal> for Refusal {
    fn from(illegal: Illegal) -> Self {
        Code::BadRequest.because(illegal.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(json!({ "message": self.message }));
        let mut response = (self.code.status(), body).into_response();
        response.headers_mut().insert(
            "x-amzn-errortype",
            HeaderValue::from_static(self.code.name()),
        );
        response
    }
}
