//! The index: every active message, in exactly one stage.
//!
//! A message is delayed until it is due, and queued until its queue has a free slot. It waits until its flow-control
//! key and the server's own limit allow it, then it is delivering. Cancelling finds it in any stage.

use std::collections::{BTreeSet, HashMap};

use crate::flow_control::Key;
use crate::message::{MessageId, Place};
use crate::name::Name;

use super::flow_lane::FlowLane;
use super::queue_lane::QueueLane;
use super::timetable::Timetable;
use super::{Change, Pending};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Delayed,
    Queued,
    Waiting,
    Delivering,
}

#[derive(Debug)]
struct Entry {
    due_ms: u64,
    place: Option<Place>,
    flow_key: Option<Key>,
    stage: Stage,
    occupies_place: bool,
}

/// A delivery that may start.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    /// The message.
    pub(crate) id: MessageId,
    /// The key whose limit counts it.
    pub(crate) flow_key: Option<Key>,
}

/// Every active message.
#[derive(Debug)]
pub(crate) struct Index {
    entries: HashMap<MessageId, Entry>,
    delayed: BTreeSet<(u64, MessageId)>,
    ready: BTreeSet<(u64, MessageId)>,
    queues: HashMap<Name, QueueLane>,
    lanes: HashMap<Key, FlowLane>,
    /// The keys with waiting messages, so that idle keys cost nothing.
    busy: BTreeSet<Key>,
    timetable: Timetable,
    in_flight: usize,
    /// Concurrent deliveries over all keys and queues.
    parallelism: usize,
}

impl Index {
    /// Creates an empty index for an account with this parallelism.
    pub(super) fn new(parallelism: usize) -> Self {
        Self {
            entries: HashMap::new(),
            delayed: BTreeSet::new(),
            ready: BTreeSet::new(),
            queues: HashMap::new(),
            lanes: HashMap::new(),
            busy: BTreeSet::new(),
            timetable: Timetable::default(),
            in_flight: 0,
            parallelism,
        }
    }

    /// Applies the change of a commit.
    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Add(pending) => self.add(pending),
            Change::Retry { id, due_ms } => self.retry(&id, due_ms),
            Change::Release { id, due_ms } => self.release(&id, due_ms),
            Change::Remove(id) => self.remove(&id),
            Change::Queue {
                name,
                parallelism,
                paused,
            } => {
                let lane = self.queues.entry(name).or_default();
                lane.parallelism = usize::try_from(parallelism).unwrap_or(usize::MAX);
                lane.paused = paused;
            }
            Change::DropQueue(name) => {
                self.queues.remove(&name);
            }
            Change::FlowKey { key, state } => self.lanes.entry(key).or_default().key = state,
            Change::Schedule { id, next_ms } => self.timetable.set(id, next_ms),
        }
    }

    fn add(&mut self, pending: Pending) {
        let Pending {
            id,
            due_ms,
            place,
            flow_key,
            retried,
        } = pending;
        // After a restart, a message that was tried before gets its slot back; so does a callback.
        let occupies_place = place
            .as_ref()
            .is_some_and(|place| retried > 0 || place.root != id);
        if let Some(place) = &place {
            let lane = self.queues.entry(place.queue.clone()).or_default();
            lane.members += 1;
            if occupies_place {
                lane.occupy(&place.root);
            }
        }
        self.delayed.insert((due_ms, id.clone()));
        self.entries.insert(
            id,
            Entry {
                due_ms,
                place,
                flow_key,
                stage: Stage::Delayed,
                occupies_place,
            },
        );
    }

    fn retry(&mut self, id: &MessageId, due_ms: u64) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.due_ms = due_ms;
            entry.stage = Stage::Delayed;
            self.delayed.insert((due_ms, id.clone()));
        }
    }

    /// Makes a delayed message due now; in any other stage the delay is already over.
    fn release(&mut self, id: &MessageId, due_ms: u64) {
        if let Some(entry) = self.entries.get_mut(id)
            && entry.stage == Stage::Delayed
        {
            self.delayed.remove(&(entry.due_ms, id.clone()));
            entry.due_ms = due_ms;
            self.delayed.insert((due_ms, id.clone()));
        }
    }

    fn remove(&mut self, id: &MessageId) {
        let Some(entry) = self.entries.remove(id) else {
            return;
        };
        let key = (entry.due_ms, id.clone());
        match (entry.stage, &entry.flow_key) {
            (Stage::Delayed, _) => drop(self.delayed.remove(&key)),
            (Stage::Waiting, Some(flow_key)) => {
                if let Some(lane) = self.lanes.get_mut(flow_key) {
                    lane.waiting.remove(&key);
                }
            }
            (Stage::Waiting, None) => drop(self.ready.remove(&key)),
            (Stage::Queued | Stage::Delivering, _) => {}
        }
        if let Some(place) = entry.place
            && let Some(lane) = self.queues.get_mut(&place.queue)
        {
            lane.members = lane.members.saturating_sub(1);
            lane.waiting.remove(id);
            if entry.occupies_place {
                lane.vacate(&place.root);
            }
        }
    }

    /// Returns the due schedules, each once.
    pub(super) fn due_schedules(&mut self, now_ms: u64) -> Vec<(u64, Name)> {
        self.timetable.take_due(now_ms)
    }

    /// Moves due messages to the next stage, and takes those that may start now.
    pub(super) fn start(&mut self, now_ms: u64) -> Vec<Start> {
        while self
            .delayed
            .first()
            .is_some_and(|(due_ms, _)| *due_ms <= now_ms)
        {
            if let Some((_, id)) = self.delayed.pop_first() {
                self.arrive(&id);
            }
        }
        let admitted: Vec<MessageId> = self
            .queues
            .values_mut()
            .flat_map(|lane| std::iter::from_fn(|| lane.admit()))
            .collect();
        for id in admitted {
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.occupies_place = true;
            }
            self.wait(&id);
        }
        self.take(now_ms)
    }

    /// Moves a due message into its queue, if it has no slot there yet.
    fn arrive(&mut self, id: &MessageId) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        if let Some(place) = entry.place.as_ref().filter(|_| !entry.occupies_place) {
            let lane = self.queues.entry(place.queue.clone()).or_default();
            if !lane.holds(&place.root) {
                entry.stage = Stage::Queued;
                lane.waiting.insert(id.clone());
                return;
            }
        }
        self.wait(id);
    }

    /// Puts a message into the stage in which only limits delay it.
    fn wait(&mut self, id: &MessageId) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        entry.stage = Stage::Waiting;
        let key = (entry.due_ms, id.clone());
        match &entry.flow_key {
            Some(flow_key) => {
                self.lanes
                    .entry(flow_key.clone())
                    .or_default()
                    .waiting
                    .insert(key);
                self.busy.insert(flow_key.clone());
            }
            None => drop(self.ready.insert(key)),
        }
    }

    /// Takes from the messages without a key and from every key in turn, so that none starves the others.
    fn take(&mut self, now_ms: u64) -> Vec<Start> {
        let mut started = Vec::new();
        let mut progress = true;
        while progress && self.in_flight < self.parallelism {
            progress = false;
            if let Some((_, id)) = self.ready.pop_first() {
                self.begin(Start { id, flow_key: None }, &mut started);
                progress = true;
            }
            let keys: Vec<Key> = self.busy.iter().cloned().collect();
            for key in keys {
                if self.in_flight >= self.parallelism {
                    break;
                }
                let Some(lane) = self.lanes.get_mut(&key) else {
                    continue;
                };
                let taken = lane.take(now_ms);
                if lane.waiting.is_empty() {
                    self.busy.remove(&key);
                }
                if let Some(id) = taken {
                    self.begin(
                        Start {
                            id,
                            flow_key: Some(key),
                        },
                        &mut started,
                    );
                    progress = true;
                }
            }
        }
        started
    }

    fn begin(&mut self, start: Start, started: &mut Vec<Start>) {
        if let Some(entry) = self.entries.get_mut(&start.id) {
            entry.stage = Stage::Delivering;
        }
        self.in_flight += 1;
        started.push(start);
    }

    /// Records the end of a delivery.
    pub(super) fn end(&mut self, start: &Start) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(lane) = start
            .flow_key
            .as_ref()
            .and_then(|key| self.lanes.get_mut(key))
        {
            lane.active = lane.active.saturating_sub(1);
        }
    }

    /// Returns the next due time in broker milliseconds, without other events.
    pub(super) fn next_ms(&self, held: bool) -> Option<u64> {
        let schedule = self.timetable.next_ms();
        if held || self.in_flight >= self.parallelism {
            return schedule;
        }
        let delayed = self.delayed.first().map(|(due_ms, _)| *due_ms);
        let rates = self
            .busy
            .iter()
            .filter_map(|key| self.lanes.get(key)?.next_ms())
            .min();
        [schedule, delayed, rates].into_iter().flatten().min()
    }

    /// Returns a flow-control key that a message has used.
    pub(crate) fn lane(&mut self, key: &Key) -> Option<&mut FlowLane> {
        self.lanes.get_mut(key)
    }

    /// Returns every flow-control key.
    pub(crate) fn lanes(&mut self) -> impl Iterator<Item = (&Key, &mut FlowLane)> {
        self.lanes.iter_mut()
    }

    /// Returns the number of undelivered messages in a queue.
    pub(crate) fn lag(&self, queue: &Name) -> usize {
        self.queues.get(queue).map_or(0, QueueLane::lag)
    }

    /// Returns the number of running deliveries.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Returns the maximum number of concurrent deliveries.
    pub(crate) fn parallelism(&self) -> usize {
        self.parallelism
    }

    /// Returns whether a message is being delivered.
    pub(crate) fn is_delivering(&self, id: &MessageId) -> bool {
        self.entries
            .get(id)
            .is_some_and(|entry| entry.stage == Stage::Delivering)
    }
}

#[cfg(test)]
mod tests;
