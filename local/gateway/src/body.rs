//! Reading bodies under a limit.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// The bytes beyond the limit that are read and discarded, so that a client that is still writing gets the response
/// instead of a reset connection.
const DRAIN: usize = 64 * 1024 * 1024;

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It is larger than the limit.
    #[error("the body is too large")]
    TooLarge,
    /// The sender disconnected or sent invalid HTTP.
    #[error("the body ended early")]
    Broken(#[source] hyper::Error),
}

/// Reads the whole body. Errors if it has more than `limit` bytes.
pub(crate) async fn collect(mut body: Incoming, limit: usize) -> Result<Bytes, Error> {
    let mut collected = BytesMut::new();
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Error::Broken)?.into_data() else {
            continue; // trailers: API Gateway does not pass them on
        };
        seen = seen.saturating_add(data.len());
        if seen <= limit {
            collected.extend_from_slice(&data);
        } else if seen > limit.saturating_add(DRAIN) {
            break;
        }
    }
    if seen > limit {
        Err(Error::TooLarge)
    } else {
        Ok(collected.freeze())
    }
}
