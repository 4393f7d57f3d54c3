//! One queue: its waiting messages, and those in its slots.

use std::collections::{BTreeSet, HashMap};

use crate::message::MessageId;

/// One queue. A message takes a slot and keeps it through its retries and callbacks.
#[derive(Debug)]
pub(crate) struct QueueLane {
    /// The number of slots.
    pub(super) parallelism: usize,
    /// Whether it is paused.
    pub(super) paused: bool,
    /// Waiting messages in the order of arrival: ids sort by time.
    pub(super) waiting: BTreeSet<MessageId>,
    /// Messages and callbacks in each taken slot, by the message that took it.
    taken: HashMap<MessageId, usize>,
    /// All messages in the queue, due or not.
    pub(super) members: usize,
}

impl Default for QueueLane {
    fn default() -> Self {
        Self {
            parallelism: 1,
            paused: false,
            waiting: BTreeSet::new(),
            taken: HashMap::new(),
            members: 0,
        }
    }
}

impl QueueLane {
    /// Returns the number of undelivered messages.
    pub(crate) fn lag(&self) -> usize {
        self.members
    }

    /// Returns whether `root` holds a slot.
    pub(super) fn holds(&self, root: &MessageId) -> bool {
        self.taken.contains_key(root)
    }

    /// Adds one to the slot of `root`, which takes a slot if necessary.
    pub(super) fn occupy(&mut self, root: &MessageId) {
        *self.taken.entry(root.clone()).or_default() += 1;
    }

    /// Removes one from the slot of `root`; the last one frees it.
    pub(super) fn vacate(&mut self, root: &MessageId) {
        if let Some(count) = self.taken.get_mut(root) {
            *count -= 1;
            if *count == 0 {
                self.taken.remove(root);
            }
        }
    }

    /// Gives a free slot to the message that has waited longest.
    pub(super) fn admit(&mut self) -> Option<MessageId> {
        if self.paused || self.taken.len() >= self.parallelism {
            return None;
        }
        let id = self.waiting.pop_first()?;
        self.occupy(&id);
        Some(id)
    }
}
