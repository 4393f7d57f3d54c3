//! The `Upstash-Sync-Token`: names the last write, so that a client that sends it back reads at least that.
//! One redis-server is always in sync, so a counter that every write moves is all there is to say.

use std::sync::atomic::{AtomicU64, Ordering};

/// The position of the last write.
#[derive(Debug, Default)]
pub(crate) struct SyncToken(AtomicU64);

impl SyncToken {
    /// Says that something may have been written.
    pub(crate) fn advance(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The header's value; never empty, and another after each [`advance`](Self::advance).
    pub(crate) fn current(&self) -> String {
        format!("local-{}", self.0.load(Ordering::Relaxed))
    }
}
