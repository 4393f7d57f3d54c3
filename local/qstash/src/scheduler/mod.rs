//! The schedule of deliveries: an index in memory over the stored messages, by due time, queue and flow-control key.
//!
//! It holds ids, never bodies, and is rebuilt from the store at every start.

mod dispatcher;
mod flow_lane;
mod index;
mod queue_lane;
mod timetable;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::disorder::{Draw, Duplicate};
use crate::flow_control::{FlowKey, Key};
use crate::message::{Message, MessageId, Place};
use crate::name::Name;
use crate::queue::Queue;

pub(crate) use dispatcher::run;
pub(crate) use flow_lane::FlowLane;
pub(crate) use index::Index;

/// The index's data of a message.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    id: MessageId,
    due_ms: u64,
    place: Option<Place>,
    flow_key: Option<Key>,
    retried: u32,
}

impl From<&Message> for Pending {
    fn from(message: &Message) -> Self {
        Self {
            id: message.id.clone(),
            due_ms: message.due_ms,
            place: message.place.clone(),
            flow_key: message
                .options
                .flow_control
                .as_ref()
                .map(|flow| flow.key.clone()),
            retried: message.retried,
        }
    }
}

/// The effect of a committed write on the index.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A message was accepted.
    Add(Pending),
    /// A message is retried.
    Retry {
        /// The message.
        id: MessageId,
        /// Its due time, in broker milliseconds.
        due_ms: u64,
    },
    /// A delayed message was released.
    Release {
        /// The message.
        id: MessageId,
        /// When it is due, in broker milliseconds.
        due_ms: u64,
    },
    /// A message has ended: delivered, failed or cancelled.
    Remove(MessageId),
    /// A queue was created or changed.
    Queue {
        /// The queue.
        name: Name,
        /// Concurrent messages.
        parallelism: u32,
        /// Whether it is paused.
        paused: bool,
    },
    /// A queue was deleted, after its messages.
    DropQueue(Name),
    /// The limits of a key changed.
    FlowKey {
        /// The key.
        key: Key,
        /// Its new state.
        state: FlowKey,
    },
    /// A schedule was created, changed, fired or, without a next time, removed.
    Schedule {
        /// The schedule.
        id: Name,
        /// The next time, in broker milliseconds.
        next_ms: Option<u64>,
    },
}

impl Change {
    /// Returns the change for a queue's current settings.
    pub(crate) fn queue(name: &Name, queue: &Queue) -> Self {
        Self::Queue {
            name: name.clone(),
            parallelism: queue.parallelism,
            paused: queue.paused,
        }
    }
}

/// The index, and the notification that wakes the dispatcher.
pub(crate) struct Scheduler {
    index: Mutex<Index>,
    wake: Notify,
    draw: Draw,
    clock: Arc<Clock>,
}

impl Scheduler {
    /// Creates an empty scheduler for an account with this parallelism.
    pub(crate) fn new(parallelism: usize, draw: Draw, clock: Arc<Clock>) -> Self {
        Self {
            index: Mutex::new(Index::new(parallelism)),
            wake: Notify::new(),
            draw,
            clock,
        }
    }

    /// Applies the changes of a commit, and wakes the dispatcher.
    pub(crate) fn apply(&self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut index = self.index();
        for change in changes {
            index.apply(self.held_back(change));
        }
        drop(index);
        self.wake();
    }

    /// With disorder, delays some messages that are in no queue.
    fn held_back(&self, mut change: Change) -> Change {
        if let Change::Add(pending) = &mut change
            && pending.place.is_none()
            && let Some(shift) = self.draw.holds_back()
        {
            pending.due_ms = pending
                .due_ms
                .max(self.clock.now_ms())
                .saturating_add(self.clock.broker_span_ms(shift));
        }
        change
    }

    /// Returns how a delivery is duplicated, if it is.
    pub(super) fn duplicate(&self) -> Option<Duplicate> {
        self.draw.duplicate()
    }

    /// Locks the index.
    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the dispatcher.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }
}
