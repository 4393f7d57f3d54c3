//! Several ways of one operation, in turn, so that a slow moment of the machine affects all of them.

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::spread::Spread;

/// Uncounted rounds: connections are opened, and just-in-time compilers warm up.
const WARM_UP: usize = 200;

/// The times of `WAYS` ways, round by round.
pub(crate) struct Turns<const WAYS: usize> {
    took: [Vec<Duration>; WAYS],
    warm_up: usize,
    rounds: usize,
}

impl<const WAYS: usize> Turns<WAYS> {
    /// Creates this number of rounds, after the uncounted ones.
    pub(crate) fn new(rounds: usize) -> Self {
        Self {
            took: std::array::from_fn(|_| Vec::with_capacity(rounds)),
            warm_up: WARM_UP,
            rounds,
        }
    }

    /// Returns whether another round follows.
    pub(crate) fn go_on(&self) -> bool {
        let done = self.took.first().map_or(self.rounds, Vec::len);
        self.warm_up > 0 || done < self.rounds
    }

    /// Records the times of a round.
    pub(crate) fn note(&mut self, times: [Duration; WAYS]) {
        if self.warm_up > 0 {
            self.warm_up -= 1;
            return;
        }
        for (took, time) in self.took.iter_mut().zip(times) {
            took.push(time);
        }
    }

    /// Returns the times of each way, in order.
    pub(crate) fn spreads(self) -> [Spread; WAYS] {
        self.took.map(Spread::from_iter)
    }
}

/// Returns the time of an operation.
pub(crate) async fn timed(
    work: impl Future<Output = Result<(), Error>>,
) -> Result<Duration, Error> {
    let started = Instant::now();
    work.await?;
    Ok(started.elapsed())
}

#[cfg(test)]
mod tests {
    use super::{Duration, Turns, WARM_UP};

    #[test]
    fn each_variant_has_its_own_times_and_warm_up_rounds_are_excluded() {
        let mut turns = Turns::new(3);
        let mut rounds = 0;
        while turns.go_on() {
            let slow = if rounds < WARM_UP { 1000 } else { 0 };
            turns.note([1, 2].map(|ms| Duration::from_millis(ms + slow)));
            rounds += 1;
        }
        assert_eq!(rounds, WARM_UP + 3);
        let [one, two] = turns.spreads();
        assert!((one.p99() - 1.0).abs() < 1e-9 && (two.p99() - 2.0).abs() < 1e-9);
    }
}
