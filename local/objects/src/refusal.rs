//! What is refused, in S3's words: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not signed, or a header that counts is not among what is signed.
    AccessDenied,
    /// The signature is not of the form.
    Malformed,
    /// It is signed for another region.
    WrongRegion,
    /// There is no such access key, or it is a temporary one and its token is missing.
    UnknownKey,
    /// The session token is not that of the access key.
    InvalidToken,
    /// The signature is another's, or of another call.
    WrongSignature,
    /// It was signed too long ago, or is of tomorrow.
    Skewed,
    /// The body is not the one that was signed.
    WrongBody,
    /// There is no such bucket.
    NoSuchBucket,
    /// There is no such object.
    NoSuchKey,
    /// Keys have 1 to 1,024 bytes of UTF-8.
    BadKey,
    /// Larger than anything that the functions write.
    TooLarge,
    /// A call that this store does not have.
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
