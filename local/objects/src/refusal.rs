//! S3's error responses: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

/// Why a call is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It has no signature, or a required header is not signed.
    AccessDenied,
    /// The signature is malformed.
    Malformed,
    /// The signature is for another region.
    WrongRegion,
    /// The access key is unknown, or it is temporary and its token is missing.
    UnknownKey,
    /// The session token does not match the access key.
    InvalidToken,
    /// The signature does not match the call.
    WrongSignature,
    /// The signature's time is too old or in the future.
    Skewed,
    /// The body does not match the signature.
    WrongBody,
    /// The bucket does not exist.
    NoSuchBucket,
    /// The object does not exist.
    NoSuchKey,
    /// The key does not have 1 to 1,024 bytes of UTF-8.
    BadKey,
    /// The object is too large.
    TooLarge,
    /// The store does not implement this call.
    NotImplemented,
    /// The folder failed.
    Internal,
}

impl Refusal {
    fn parts(self) -> (StatusCode, &'static str) {
        match self {
            Self::AccessDenied => (StatusCode::FORBIDDEN, "AccessDenied"),
            Self::Malformed | Self::WrongRegion => {
                (StatusCode::BAD_REQUEST, "AuthorizationHeaderMalformed")
            }
            Self::UnknownKey => (StatusCode::FORBIDDEN, "InvalidAccessKeyId"),
            Self::InvalidToken => (StatusCode::BAD_REQUEST, "InvalidToken"),
            Self::WrongSignature => (StatusCode::FORBIDDEN, "SignatureDoesNotMatch"),
            Self::Skewed => (StatusCode::FORBIDDEN, "RequestTimeTooSkewed"),
            Self::WrongBody => (StatusCode::BAD_REQUEST, "XAmzContentSHA256Mismatch"),
            Self::NoSuchBucket => (StatusCode::NOT_FOUND, "NoSuchBucket"),
            Self::NoSuchKey => (StatusCode::NOT_FOUND, "NoSuchKey"),
            Self::BadKey => (StatusCode::BAD_REQUEST, "KeyTooLongError"),
            Self::TooLarge => (StatusCode::BAD_REQUEST, "EntityTooLarge"),
            Self::NotImplemented => (StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code) = self.parts();
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>"
        );
        (status, [(header::CONTENT_TYPE, "application/xml")], text).into_response()
    }
}
