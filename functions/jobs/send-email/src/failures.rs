//! Failures of single recipients of a bulk, set aside so that the others get their mail.

use crate::outcome::Error;

/// The maximum number of consecutive failed recipients. More than that means that the provider or the database fails.
const MAX_IN_A_ROW: usize = 2;

/// The recipients of one delivery with unsettled mails.
#[derive(Debug, Default)]
pub(crate) struct FailureTracker {
    in_a_row: usize,
    most_severe: Option<Error>,
}

impl FailureTracker {
    /// Returns the index among `left` recipients where an attempt starts. Each attempt starts after the recipients that
    /// may have stopped the previous one. Settled mails are skipped, so every recipient is reached.
    pub(crate) fn start(attempt: u32, left: usize) -> usize {
        let before = usize::try_from(attempt.saturating_sub(1)).unwrap_or_default();
        (before * MAX_IN_A_ROW) % left.max(1)
    }

    /// Sets an error aside that concerns one recipient. Errors if it concerns all: then the delivery ends.
    pub(crate) fn note(&mut self, error: Error) -> Result<(), Error> {
        self.in_a_row += 1;
        if !error.is_of_one_recipient() || self.in_a_row > MAX_IN_A_ROW {
            return Err(error);
        }
        // A deferral spends no retry, so it precedes an error that does.
        let is_put_off = matches!(error, Error::Busy);
        if is_put_off || self.most_severe.is_none() {
            self.most_severe = Some(error);
        }
        Ok(())
    }

    /// Records that a recipient is settled.
    pub(crate) fn settled(&mut self) {
        self.in_a_row = 0;
    }

    /// Ends the delivery. Errors if a recipient is not settled.
    pub(crate) fn end(self) -> Result<(), Error> {
        self.most_severe.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use shared::protocol::mail::SendError;

    use super::FailureTracker;
    use crate::outcome::Error;

    fn unknown() -> Error {
        Error::Provider(SendError::Unknown("no answer".into()))
    }

    #[test]
    fn failure_of_one_recipient_is_set_aside_and_several_in_a_row_are_not() {
        let mut failures = FailureTracker::default();
        for _ in 0..3 {
            assert!(failures.note(unknown()).is_ok());
            assert!(failures.note(unknown()).is_ok());
            failures.settled();
        }
        assert!(failures.note(unknown()).is_ok());
        assert!(failures.note(unknown()).is_ok());
        assert!(failures.note(unknown()).is_err());
    }

    #[test]
    fn limit_or_end_of_time_ends_the_delivery() {
        let throttled = Error::Deferred {
            after: std::time::Duration::ZERO,
            reason: String::new(),
        };
        for error in [throttled, Error::OutOfTime(1)] {
            assert!(FailureTracker::default().note(error).is_err());
        }
    }

    #[test]
    fn busy_recipient_is_waited_for_before_a_retry_is_spent() {
        let mut failures = FailureTracker::default();
        failures.note(unknown()).unwrap();
        failures.note(Error::Busy).unwrap();
        assert!(matches!(failures.end(), Err(Error::Busy)));
    }

    #[test]
    fn every_recipient_gets_a_turn_although_the_first_ones_always_fail() {
        let starts: Vec<usize> = (1..=4)
            .map(|attempt| FailureTracker::start(attempt, 5))
            .collect();
        assert_eq!(starts, [0, 2, 4, 1]);
        assert_eq!(FailureTracker::start(3, 0), 0);
    }
}
