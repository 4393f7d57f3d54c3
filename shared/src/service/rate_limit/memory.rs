//! Recent rejections in memory, so that the store is not asked again while a rejection holds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::admission::Verdict;

/// The largest number of entries. Beyond it, expired entries are removed; if there are none, all are.
const MAX_ENTRIES: usize = 1000;

/// The rejections of one instance, by key. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<Mutex<HashMap<String, Refused>>>);

#[derive(Clone, Copy, Debug)]
struct Refused {
    verdict: Verdict,
    until: Timestamp,
    /// Later rejections that the store has not counted yet.
    missed: u64,
}

impl Memory {
    /// Returns the verdict of a rejection that still holds.
    pub(super) fn refused(&self, key: &str, now: Timestamp) -> Option<Verdict> {
        let mut all = self.open();
        let refused = all.get_mut(key).filter(|refused| now < refused.until)?;
        refused.missed += 1;
        let wait = refused.until.duration_since(now).unsigned_abs();
        Some(Verdict {
            wait,
            ..refused.verdict
        })
    }

    /// Stores a rejection for as long as it holds.
    pub(super) fn refuse(&self, key: String, verdict: &Verdict, now: Timestamp) {
        let Ok(until) = now.checked_add(verdict.wait) else {
            return;
        };
        let mut all = self.open();
        if all.len() >= MAX_ENTRIES {
            all.retain(|_, refused| now < refused.until);
        }
        if all.len() >= MAX_ENTRIES {
            all.clear();
        }
        let verdict = *verdict;
        let missed = 0;
        all.insert(
            key,
            Refused {
                verdict,
                until,
                missed,
            },
        );
    }

    /// Takes the rejections that the store has not counted yet, to send them now.
    pub(super) fn take_missed(&self, key: &str) -> u64 {
        self.open().remove(key).map_or(0, |refused| refused.missed)
    }

    /// Removes a rejection, because tokens were given back.
    pub(super) fn forget(&self, key: &str) {
        self.open().remove(key);
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Refused>> {
        // No code panics while it holds the lock, so a poisoned value is still consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::super::admission::{Reason, Verdict};
    use super::{MAX_ENTRIES, Memory};

    fn verdict(seconds: u64) -> Verdict {
        Verdict {
            refusal: Some(Reason::Limited),
            limit: 5,
            remaining: 0,
            reset: Timestamp::UNIX_EPOCH,
            wait: Duration::from_secs(seconds),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn refused_identifier_is_refused_until_its_wait_ends_and_is_counted() {
        let memory = Memory::default();
        memory.refuse("a".to_owned(), &verdict(10), at(0));
        let again = memory.refused("a", at(4)).unwrap();
        assert_eq!(again.wait, Duration::from_secs(6));
        assert!(memory.refused("b", at(4)).is_none());
        assert!(memory.refused("a", at(10)).is_none());
        assert_eq!((memory.take_missed("a"), memory.take_missed("a")), (1, 0));
    }

    #[test]
    fn refused_identifiers_do_not_exceed_the_memory_limit() {
        let memory = Memory::default();
        for number in 0..5 * MAX_ENTRIES {
            memory.refuse(number.to_string(), &verdict(10), at(0));
        }
        assert!(memory.open().len() <= MAX_ENTRIES);
        memory.refuse("late".to_owned(), &verdict(10), at(60));
        assert!(memory.refused("late", at(61)).is_some());
    }
}
