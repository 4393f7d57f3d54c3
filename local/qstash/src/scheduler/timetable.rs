//! The next times of the schedules.

use std::collections::{BTreeSet, HashMap};

use crate::name::Name;

/// The next times of the schedules, in broker milliseconds.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    by_time: BTreeSet<(u64, Name)>,
    by_name: HashMap<Name, u64>,
}

impl Timetable {
    /// Replaces the next time of a schedule; none removes it.
    pub(super) fn set(&mut self, id: Name, next_ms: Option<u64>) {
        if let Some(known_ms) = self.by_name.remove(&id) {
            self.by_time.remove(&(known_ms, id.clone()));
        }
        if let Some(next_ms) = next_ms {
            self.by_name.insert(id.clone(), next_ms);
            self.by_time.insert((next_ms, id));
        }
    }

    /// Removes and returns the due schedules.
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

    /// Returns the earliest next time.
    pub(super) fn next_ms(&self) -> Option<u64> {
        self.by_time.first().map(|(at_ms, _)| *at_ms)
    }
}
