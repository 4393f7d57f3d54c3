//! Cancellations by filter, stored for later requests.
//!
//! The real server works in the background. Here the work is done before the response, so an action is always finished.
//! Source: <https://upstash.com/docs/qstash/api-reference/bulk-actions/list-bulk-actions>.

use std::collections::BTreeMap;

use redb::TableDefinition;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::store::{self, Record, Transaction};

/// The lifetime of an action, in wall-clock milliseconds.
const LIFETIME_MS: u64 = 7 * 24 * 60 * 60 * 1_000;

/// Expired actions that each new one deletes; more than one, so that the table shrinks.
const EXPIRED_AT_ONCE: usize = 4;

/// The state of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum State {
    /// All matching messages were cancelled.
    Finished,
}

impl State {
    /// Returns whether the filter value `name` means this state.
    pub(crate) fn is(self, name: &str) -> bool {
        match self {
            Self::Finished => name == "FINISHED",
        }
    }
}

/// One cancellation by filter, in the API's form.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BulkAction {
    /// Its id. Ids sort by creation time.
    pub(crate) action_id: String,
    kind: String,
    /// Its state.
    pub(crate) state: State,
    total: usize,
    processed: usize,
    created_at: u64,
    completed_at: u64,
    filter: BTreeMap<String, Vec<String>>,
}

impl BulkAction {
    /// Returns a cancellation of `cancelled` matching messages.
    pub(crate) fn cancelled(
        cancelled: usize,
        filter: BTreeMap<String, Vec<String>>,
        wall_ms: u64,
    ) -> Self {
        Self {
            action_id: format!("act_{}", Uuid::now_v7().simple()),
            kind: "cancel".to_owned(),
            state: State::Finished,
            total: cancelled,
            processed: cancelled,
            created_at: wall_ms,
            completed_at: wall_ms,
            filter,
        }
    }

    /// Stores the action, and deletes expired ones.
    pub(crate) fn keep(&self, tx: &Transaction<'_>) -> Result<(), store::Error> {
        for _ in 0..EXPIRED_AT_ONCE {
            let oldest = tx.first::<Self>()?;
            let Some((key, _)) = oldest.filter(|(_, old)| old.is_over(self.created_at)) else {
                break;
            };
            tx.remove::<Self>(&key)?;
        }
        tx.put(&self.action_id, self)
    }

    /// Returns whether it has expired.
    pub(crate) fn is_over(&self, wall_ms: u64) -> bool {
        self.created_at.saturating_add(LIFETIME_MS) <= wall_ms
    }
}

impl Record for BulkAction {
    const TABLE: TableDefinition<'static, &'static str, &'static [u8]> =
        TableDefinition::new("bulk_actions");
}
