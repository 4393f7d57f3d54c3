//! Queues: first in, first out, with at most `parallelism` active messages.
//!
//! Source: <https://upstash.com/docs/qstash/features/queues>.

use redb::TableDefinition;
use serde::{Deserialize, Serialize};

use crate::store::Record;

/// A queue's settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Queue {
    /// When it was created, in wall-clock milliseconds.
    pub(crate) created_ms: u64,
    /// When it was changed last, in wall-clock milliseconds.
    pub(crate) updated_ms: u64,
    /// Concurrent messages, including retries and callbacks.
    pub(crate) parallelism: u32,
    /// Whether it is paused: it accepts messages and delivers none.
    pub(crate) paused: bool,
}

impl Queue {
    /// Creates the queue that enqueueing creates if it is missing.
    pub(crate) fn new(wall_ms: u64) -> Self {
        Self {
            created_ms: wall_ms,
            updated_ms: wall_ms,
            parallelism: 1,
            paused: false,
        }
    }
}

impl Record for Queue {
    const TABLE: TableDefinition<'static, &'static str, &'static [u8]> =
        TableDefinition::new("queues");
}
