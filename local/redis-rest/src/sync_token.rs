//! The `Upstash-Sync-Token`: a client sends the last one back, to read at least what it has written.
//! One redis-server is always in sync with itself, so all that matters is what clients watch: that concurrent writes
//! get different tokens. Every answer gets its own.

use std::sync::atomic::{AtomicU64, Ordering};

use hyper::header::HeaderValue;

/// Hands the tokens out.
#[derive(Debug, Default)]
pub(crate) struct SyncToken(AtomicU64);

impl SyncToken {
    /// The next header value: never empty, never given before.
    pub(crate) fn next(&self) -> HeaderValue {
        HeaderValue::from(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}
