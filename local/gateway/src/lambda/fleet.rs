//! The instances of one function and the calls that wait for them: pure bookkeeping, without processes or sockets.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::invocation::Current;
use super::queue::Queue;

/// How many init durations are kept.
const INIT_DURATIONS: usize = 1_000;

/// Names an instance among those of its function; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InstanceId(u64);

/// What an instance is doing.
pub(crate) enum Phase {
    /// Between the start of its process and its first poll.
    Starting(Instant),
    /// Polling.
    Waiting,
    /// Working on a call.
    Busy(Current),
    /// It has answered and not polled again yet: as good as waiting, unless it ends instead.
    Settling,
}

/// One process.
pub(crate) struct Member {
    /// Its process id, which is that of its process group too.
    pub(crate) pid: u32,
    /// What it is doing.
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
    /// Calls that instances have taken.
    pub(crate) invocations: u64,
    /// The latest answer's time, from the event to the answer: what Lambda calls the duration, and bills.
    pub(crate) last_duration: Option<Duration>,
    /// Calls that were refused because the reserved concurrency was in use.
    pub(crate) throttles: u64,
    /// No more instances are started.
    pub(crate) stopping: bool,
    next_id: u64,
}

impl Fleet {
    /// An id for a new instance.
    pub(crate) fn issue_id(&mut self) -> InstanceId {
        self.next_id += 1;
        InstanceId(self.next_id)
    }

    /// How many calls are under way or wait for an instance: Lambda's concurrency.
    pub(crate) fn in_flight(&mut self) -> usize {
        self.busy() + self.queue.waiting()
    }

    fn busy(&self) -> usize {
        let members = self.members.values();
        members
            .filter(|member| matches!(member.phase, Phase::Busy(_)))
            .count()
    }

    /// Whether waiting calls need one more instance than there are free ones.
    pub(crate) fn is_short(&mut self, max_instances: usize) -> bool {
        let free = self.members.len() - self.busy();
        !self.stopping && self.queue.waiting() > free && self.members.len() < max_instances
    }

    /// Notes that an instance polls.
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
        // A runtime that polls while it owes an answer has lost that call: its caller learns it by the dropped sender.
        member.phase = Phase::Waiting;
    }

    /// Takes the call with this id from the instance that works on it.
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
    /// Whether this is the call being worked on.
    pub(crate) fn is_on(&self, request_id: &str) -> bool {
        matches!(self, Self::Busy(current) if current.request_id() == request_id)
    }
}
