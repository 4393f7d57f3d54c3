//! Faults that a test or a demonstration switches on: the front then fails as the network, Redis or Upstash would.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One way to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed without an answer, and the command does not run.
    Refused,
    /// Every request waits that long before it is looked at.
    Slow(Duration),
    /// Redis is reading its data from disk: every command fails with `LOADING`.
    Loading,
    /// Redis has become a replica: writes and scripts fail with `READONLY`.
    ReadOnly,
    /// Redis has forgotten its scripts: EVALSHA fails with `NOSCRIPT`, EVAL works.
    NoScript,
    /// The commands run, then the connection closes in the middle of the answer.
    CutAnswer,
    /// The token is not accepted: 401.
    Unauthorized,
    /// The plan's daily limit is met: 429.
    RateLimited,
    /// The plan's month is used up. Which status that has is not known: every command fails, or, with a status, the whole
    /// request does.
    Spent(Option<u16>),
    /// The plan's disk is full: what would make a record larger fails, in scripts too; reads and deletes do not.
    Full,
}

/// The switch of a running front. Clones act on the same front.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Healthy,
    Standing(Fault),
    Next(u32, Fault),
}

impl Faults {
    /// Fails every request that way until it is set again; `None` heals.
    pub fn set(&self, fault: Option<Fault>) {
        self.replace(fault.map_or(State::Healthy, State::Standing));
    }

    /// Fails the next `n` requests that way, then heals.
    pub fn set_for_next(&self, n: u32, fault: Fault) {
        self.replace(if n == 0 {
            State::Healthy
        } else {
            State::Next(n, fault)
        });
    }

    /// The fault of the request that has just arrived.
    pub(crate) fn take(&self) -> Option<Fault> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *state {
            State::Healthy => None,
            State::Standing(fault) => Some(fault),
            State::Next(left, fault) => {
                *state = if left > 1 {
                    State::Next(left - 1, fault)
                } else {
                    State::Healthy
                };
                Some(fault)
            }
        }
    }

    fn replace(&self, state: State) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_for_the_next_two_requests_spares_the_third() {
        let faults = Faults::default();
        faults.set(Some(Fault::Loading));
        faults.set_for_next(2, Fault::Refused);
        assert_eq!(
            [faults.take(), faults.take(), faults.take()],
            [Some(Fault::Refused), Some(Fault::Refused), None]
        );
    }

    #[test]
    fn standing_fault_lasts_until_cleared() {
        let faults = Faults::default();
        faults.clone().set(Some(Fault::ReadOnly));
        assert_eq!([faults.take(), faults.take()], [Some(Fault::ReadOnly); 2]);
        faults.set(None);
        assert_eq!(faults.take(), None);
    }
}
