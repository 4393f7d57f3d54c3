//! Faults for tests and demonstrations: the front fails as the network, Redis or Upstash would.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed without a response, and the command does not run.
    Refused,
    /// Every request is delayed by this time.
    Slow(Duration),
    /// Redis is loading its data from disk: every command fails with `LOADING`.
    Loading,
    /// Redis has become a replica: writes and scripts fail with `READONLY`.
    ReadOnly,
    /// Redis has lost its scripts: EVALSHA fails with `NOSCRIPT`, EVAL works.
    NoScript,
    /// The commands run, then the connection closes in the middle of the response.
    CutAnswer,
    /// The token is rejected: 401.
    Unauthorized,
    /// The plan's daily limit is reached: 429.
    RateLimited,
    /// The plan's month is exhausted. Its status is not known: every command fails or, with a status, the whole
    /// request.
    Spent(Option<u16>),
    /// The plan's disk is full: commands that may enlarge a record fail, also in scripts. Reads and deletes work.
    Full,
}

/// The switch of a running front. Clones control the same front.
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
    /// Sets the fault of every request until the next call; `None` ends it.
    pub fn set(&self, fault: Option<Fault>) {
        self.replace(fault.map_or(State::Healthy, State::Standing));
    }

    /// Sets the fault of the next `n` requests.
    pub fn set_for_next(&self, n: u32, fault: Fault) {
        self.replace(if n == 0 {
            State::Healthy
        } else {
            State::Next(n, fault)
        });
    }

    /// Returns the fault of the request that just arrived.
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
