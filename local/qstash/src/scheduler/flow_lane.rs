//! One flow-control key: its waiting messages, running deliveries, and deliveries started in this period.

use std::collections::BTreeSet;

use crate::flow_control::FlowKey;
use crate::message::MessageId;

/// One flow-control key.
#[derive(Debug, Default)]
pub(crate) struct FlowLane {
    /// The limits.
    pub(crate) key: FlowKey,
    /// Waiting messages, by due time.
    pub(super) waiting: BTreeSet<(u64, MessageId)>,
    /// Running deliveries.
    pub(crate) active: u32,
    /// Deliveries started in the period.
    pub(crate) started: u32,
    /// When the period started, in broker milliseconds.
    pub(crate) period_start_ms: u64,
}

impl FlowLane {
    /// Returns the number of messages that wait for a limit.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Ends the period when its time is over, also for a paused key.
    pub(crate) fn elapse(&mut self, now_ms: u64) {
        if now_ms
            >= self
                .period_start_ms
                .saturating_add(self.key.limits().period_ms)
        {
            self.started = 0;
        }
    }

    /// Resets the count of this period.
    pub(crate) fn reset(&mut self) {
        self.started = 0;
    }

    /// Takes the next message if the limits allow one to start now.
    pub(super) fn take(&mut self, now_ms: u64) -> Option<MessageId> {
        self.elapse(now_ms);
        let limits = self.key.limits();
        let full = limits.parallelism.is_some_and(|most| self.active >= most);
        let spent = limits.rate.is_some_and(|most| self.started >= most);
        if self.key.paused || full || spent {
            return None;
        }
        let (_, id) = self.waiting.pop_first()?;
        if self.started == 0 {
            self.period_start_ms = now_ms;
        }
        self.started += 1;
        self.active += 1;
        Some(id)
    }

    /// Returns when the rate allows the next message; none if it depends on another event.
    pub(super) fn next_ms(&self) -> Option<u64> {
        let limits = self.key.limits();
        let spent = limits.rate.is_some_and(|most| self.started >= most);
        (spent && !self.key.paused && !self.waiting.is_empty())
            .then(|| self.period_start_ms.saturating_add(limits.period_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow_control::Limits;

    fn lane(limits: &str, waiting: u64) -> FlowLane {
        let latest = Limits::parse(limits).expect(limits);
        let waiting = (0..waiting).map(|due| (due, MessageId::new())).collect();
        FlowLane {
            key: FlowKey {
                latest,
                ..FlowKey::default()
            },
            waiting,
            ..FlowLane::default()
        }
    }

    #[test]
    fn starts_are_limited_to_the_rate_per_period() {
        let mut lane = lane("rate=2,period=10s", 5);
        let started =
            |lane: &mut FlowLane, now_ms| std::iter::from_fn(|| lane.take(now_ms)).count();
        assert_eq!(started(&mut lane, 100_000), 2);
        assert_eq!(lane.next_ms(), Some(110_000));
        assert_eq!(started(&mut lane, 109_999), 0);
        assert_eq!(started(&mut lane, 110_000), 2);
    }

    #[test]
    fn running_messages_are_limited_to_the_parallelism() {
        let mut lane = lane("parallelism=1", 2);
        assert!(lane.take(0).is_some());
        assert!(lane.take(60_000).is_none());
        lane.active -= 1;
        assert!(lane.take(60_000).is_some());
    }

    #[test]
    fn paused_lane_starts_and_schedules_nothing() {
        let mut lane = lane("rate=1", 3);
        lane.key.paused = true;
        assert!(lane.take(0).is_none());
        assert_eq!(lane.next_ms(), None);
    }
}
