//! The usage of the store. Upstash bills commands; a request is a round trip.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A running count, shared by all clones of one client.
#[derive(Clone, Debug, Default)]
pub struct Usage(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    commands: AtomicU64,
}

/// The usage since the last call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// HTTP requests sent, repetitions included.
    pub requests: u64,
    /// Commands sent; a script counts as one here, although its inner commands are billed as well.
    pub commands: u64,
}

impl Usage {
    pub(super) fn add(&self, commands: usize) {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        self.0
            .commands
            .fetch_add(commands as u64, Ordering::Relaxed);
    }

    /// Returns the counts since the last call, and resets them to zero.
    #[must_use]
    pub fn take(&self) -> Spent {
        Spent {
            requests: self.0.requests.swap(0, Ordering::Relaxed),
            commands: self.0.commands.swap(0, Ordering::Relaxed),
        }
    }
}
