//! One queue: who waits for a place, and who sits on one.

use std::collections::{BTreeSet, HashMap};

use crate::message::MessageId;

/// One queue. A place is taken by a message and kept through its retries and callbacks.
#[derive(Debug)]
pub(crate) struct QueueLane {
    /// Places.
    pub(super) parallelism: usize,
    /// Whether it gives out places.
    pub(super) paused: bool,
    /// Who waits, in the order of arrival: ids sort by time.
    pub(super) waiting: BTreeSet<MessageId>,
    /// Messages and callbacks on each taken place, by the message that took it.
    taken: HashMap<MessageId, usize>,
    /// Everything that is in the queue, due or not.
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
    /// Messages that were not delivered yet.
    pub(crate) fn lag(&self) -> usize {
        self.members
    }

    /// Whether `root` sits on a place.
    pub(super) fn holds(&self, root: &MessageId) -> bool {
        self.taken.contains_key(root)
    }

    /// Puts one more on the place of `root`, which takes it if need be.
    pub(super) fn occupy(&mut self, root: &MessageId) {
        *self.taken.entry(root.clone()).or_default() += 1;
    }

    /// Takes one off the place of `root`; the last one frees it.
    pub(super) fn vacate(&mut self, root: &MessageId) {
        if let Some(count) = self.taken.get_mut(root) {
            *count -= 1;
            if *count == 0 {
                self.taken.remove(root);
            }
        }
    }

    /// Gives a free place to who has waited longest.
    pub(super) fn admit(&mut self) -> Option<MessageId> {
        if self.paused || self.taken.len() >= self.parallelism {
            return None;
        }
        let id = self.waiting.pop_first()?;
        self.occupy(&id);
        Some(id)
    }
}
