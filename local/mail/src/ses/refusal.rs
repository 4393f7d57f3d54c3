//! How SES says no: an error code in `x-amzn-errortype` and a JSON message.
//!
//! Codes and statuses: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors>
//! and <https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html>.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::address::Illegal;

/// The error codes that `SendEmail` answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The account was shut down for good: 400.
    AccountSuspended,
    /// The request breaks a rule of the API: 400.
    BadRequest,
    /// Something on the provider's side: 500.
    InternalFailure,
    /// The access key and its session token do not belong together: 403.
    InvalidClientTokenId,
    /// The signature is not one for this service: 403.
    InvalidSignature,
    /// The `Authorization` header is not whole: 403.
    IncompleteSignature,
    /// A resource of the account is used up: 400.
    LimitExceeded,
    /// The custom MAIL FROM domain is not verified: 400.
    MailFromDomainNotVerified,
    /// The mail is refused, for its sender or its content: 400.
    MessageRejected,
    /// There is no signature at all: 403.
    MissingAuthenticationToken,
    /// A configuration set or a template that does not exist: 404.
    NotFound,
    /// Sending is paused for the account: 400.
    SendingPaused,
    /// The body is not the JSON that the operation takes: 400.
    Serialization,
    /// The sending rate is met: 429.
    TooManyRequests,
    /// No operation has this method and path: 404.
    UnknownOperation,
}

impl Code {
    /// The name that stands in `x-amzn-errortype`.
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

    /// The HTTP status that goes with it.
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

    /// What SES says when nothing in the request is to blame.
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

    /// This code, with the reason.
    pub(crate) fn because(self, message: impl Into<String>) -> Refusal {
        Refusal {
            code: self,
            message: message.into(),
        }
    }
}

/// An answer that is not 200.
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
