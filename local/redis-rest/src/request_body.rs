//! Reads a request's body under Upstash's limit.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use crate::malformed::Malformed;

/// The largest request: 10 MB (<https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded>).
pub(crate) const LIMIT: u64 = 10 * 1024 * 1024;

/// The bytes of a too large body that are read and discarded, so that the caller gets the response.
const DRAINED: u64 = 64 * 1024 * 1024;

/// Reads the whole body.
pub(crate) async fn read(mut body: Incoming) -> Result<Bytes, Malformed> {
    let announced = body.size_hint().exact();
    let mut kept = BytesMut::new();
    let mut seen = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(Malformed::CutBody)?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        seen = seen.saturating_add(data.len() as u64);
        if seen <= LIMIT {
            kept.extend_from_slice(data);
        } else if seen > DRAINED {
            break;
        }
    }
    if seen > LIMIT {
        Err(too_large(announced.unwrap_or(seen)))
    } else {
        Ok(kept.freeze())
    }
}

fn too_large(actual: u64) -> Malformed {
    Malformed::TooLarge {
        limit: LIMIT,
        actual,
    }
}
