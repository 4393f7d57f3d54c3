//! The instances of one function and its waiting calls: pure state, without processes or sockets.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::invocation::Current;
use super::queue::Queue;

/// The number of stored init durations.
const INIT_DURATIONS: usize = 1_000;

/// The id of an instance within its function; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InstanceId(u64);

/// The state of an instance.
pub(crate) enum Phase {
    /// Between the start of its process and its first poll.
    Starting(Instant),
    /// Polling.
    Waiting,
    /// Running a call.
    Busy(Current),
    /// It has answered and not polled again yet: equal to waiting, unless it ends.
    Settling,
}

/// One instance.
pub(crate) struct Member {
    /// Its process id, which is also that of its process group.
    pub(crate) pid: u32,
    /// Its state.
    pub(crate) phase: Phase,
}

/// All instances and all waiting calls.
#[derive(Default)]
pub(crate) struct Fleet {
    /// Calls that no instance has taken, oldest first.
    pub(crate) queue: Queue,
    /// Instances by id.
    pub(crate) members: BTreeMap<InstanceId, Member>,
    /// From process start to first poll, oldest first.
    pub(crate) init_durations: VecDeque<Duration>,
    /// The number of calls that instances have taken.
    pub(crate) invocations: u64,
    /// The latest answer's time, from the event to the answer: what Lambda calls the duration, and bills.
    pub(crate) last_duration: Option<Duration>,
    /// The number of calls that were rejected because the reserved concurrency was in use.
    pub(crate) throttles: u64,
    /// Whether starting instances has ended.
    pub(crate) stopping: bool,
    next_id: u64,
}

impl Fleet {
    /// Returns an id for a new instance.
    pub(crate) fn issue_id(&mut self) -> InstanceId {
        self.next_id += 1;
        InstanceId(self.next_id)
    }

    /// Returns the number of running and waiting calls: Lambda's concurrency.
    pub(crate) fn in_flight(&mut self) -> usize {
        self.busy() + self.queue.waiting()
    }

    fn busy(&self) -> usize {
        let members = self.members.values();
        members
            .filter(|member| matches!(member.phase, Phase::Busy(_)))
            .count()
    }

    /// Returns whether waiting calls need one more instance than there are free ones.
    pub(crate) fn is_short(&mut self, max_instances: usize) -> bool {
        let free = self.members.len() - self.busy();
        !self.stopping && self.queue.waiting() > free && self.members.len() < max_instances
    }

    /// Records that an instance polls.
    pub(crate) fn polls(&mut self, id: InstanceId) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        if let Phase::Starting(since) = member.phase {
            if self.init_durations.len() == INIT_DURATIONS {
                self.init_durations.pop_front();
            }
            self.init_durations.push_back(since.elapsed());
        }
        // A runtime that polls before it answers has lost that call: the dropped sender informs its caller.
        member.phase = Phase::Waiting;
    }

    /// Takes the call with this id from the instance that runs it.
    pub(crate) fn finish(&mut self, id: InstanceId, request_id: &str) -> Option<Current> {
        let member = self.members.get_mut(&id)?;
        if !member.phase.is_on(request_id) {
            return None;
        }
        match std::mem::replace(&mut member.phase, Phase::Settling) {
            Phase::Busy(current) => {
                self.last_duration = Some(current.elapsed());
                Some(current)
            }
            _ => None,
        }
    }
}

impl Phase {
    /// Returns whether this call is running.
    pub(crate) fn is_on(&self, request_id: &str) -> bool {
        matches!(self, Self::Busy(current) if current.request_id() == request_id)
    }
}
