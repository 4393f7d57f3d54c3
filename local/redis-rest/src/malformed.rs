//! Errors of a whole request, found before a command runs. The text is the body's `error`, so it starts as Redis's own
//! errors do.

use hyper::StatusCode;

/// Why a whole request is rejected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("ERR failed to parse request: {0}")]
    Json(#[from] serde_json::Error),
    #[error("ERR empty command")]
    EmptyCommand,
    #[error("ERR empty pipeline request")]
    EmptyPipeline,
    #[error("ERR null args are not supported")]
    NullArgument,
    #[error("ERR arguments must be strings, numbers or booleans")]
    NestedArgument,
    #[error("ERR wrong number of arguments for '{0}' command")]
    NoChannel(&'static str),
    #[error("ERR unsupported response format, use json or resp2")]
    ResponseFormat,
    #[error("ERR unsupported encoding, use base64")]
    Encoding,
    #[error("ERR base64 encoding is not allowed with the resp2 response format")]
    EncodedResp2,
    #[error("ERR method not allowed")]
    Method,
    #[error("ERR max request size exceeded. Limit: {limit} bytes, Actual: {actual} bytes")]
    TooLarge { limit: u64, actual: u64 },
    #[error("ERR the request's body ended early")]
    CutBody(#[source] hyper::Error),
    #[error("WRONGPASS invalid or missing auth token")]
    Token,
}

impl Malformed {
    /// Returns the status of the response.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}
