//! When which schedule fires next.

use std::collections::{BTreeSet, HashMap};

use crate::name::Name;

/// When which schedule fires next, in broker milliseconds.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    by_time: BTreeSet<(u64, Name)>,
    by_name: HashMap<Name, u64>,
}

impl Timetable {
    /// Sets the next time of a schedule, in place of what stood there; none takes it off.
    pub(super) fn set(&mut self, id: Name, next_ms: Option<u64>) {
        if let Some(known_ms) = self.by_name.remove(&id) {
            self.by_time.remove(&(known_ms, id.clone()));
        }
        if let Some(next_ms) = next_ms {
            self.by_name.insert(id.clone(), next_ms);
            self.by_time.insert((next_ms, id));
        }
    }

    /// Takes off what is due.
    pub(super) fn take_due(&mut self, now_ms: u64) -> Vec<(u64, Name)> {
        let mut due = Vec::new();
        while self
            .by_time
            .first()
            .is_some_and(|(at_ms, _)| *at_ms <= now_ms)
        {
            if let Some((at_ms, id)) = self.by_time.pop_first() {
                self.by_name.remove(&id);
                due.push((at_ms, id));
            }
        }
        due
    }

    /// The next time of all.
    pub(super) fn next_ms(&self) -> Option<u64> {
        self.by_time.first().map(|(at_ms, _)| *at_ms)
    }
}
