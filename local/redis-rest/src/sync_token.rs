//! The `Upstash-Sync-Token`: a client sends the last one back, to read at least its own writes. One redis-server is
//! always in sync with itself. So only one property matters: concurrent writes get different tokens. Every response
//! gets its own.

use std::sync::atomic::{AtomicU64, Ordering};

use hyper::header::HeaderValue;

/// Generates the tokens.
#[derive(Debug, Default)]
pub(crate) struct SyncToken(AtomicU64);

impl SyncToken {
    /// Returns the next header value: never empty, never repeated.
    pub(crate) fn next(&self) -> HeaderValue {
        HeaderValue::from(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}
