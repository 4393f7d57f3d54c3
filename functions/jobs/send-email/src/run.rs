//! The progress of a bulk: the recipients settled by this attempt and those left for the next one.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::dispatcher::SendOutcome;
use crate::failures::FailureTracker;
use crate::outcome::{Delivered, Error};

/// The checkpoint for the next attempt: the recipients before the cursor are settled and counted in the result.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Checkpoint {
    cursor: usize,
    delivered: Delivered,
}

/// A running attempt.
pub(crate) struct Run {
    checkpoint: Checkpoint,
    /// The outcomes of the recipients from the cursor on.
    outcomes: Vec<Option<SendOutcome>>,
}

impl Run {
    /// Creates an attempt that continues at a checkpoint, for a bulk of `total` recipients.
    pub(crate) fn new(checkpoint: Checkpoint, total: usize) -> Self {
        let rest = total.saturating_sub(checkpoint.cursor);
        Self {
            checkpoint,
            outcomes: std::iter::repeat_with(|| None).take(rest).collect(),
        }
    }

    /// Returns the remaining recipients, in the order of this attempt.
    pub(crate) fn places(&self, attempt: u32) -> impl Iterator<Item = usize> + use<> {
        let (cursor, rest) = (self.checkpoint.cursor, self.outcomes.len());
        let start = FailureTracker::start(attempt, rest);
        (0..rest).map(move |turn| cursor + (start + turn) % rest)
    }

    /// Counts the outcome of a recipient.
    pub(crate) fn count(&mut self, place: usize, outcome: SendOutcome) {
        if let Some(counted) = self.outcomes.get_mut(place - self.checkpoint.cursor) {
            *counted = Some(outcome);
        }
    }

    /// Returns the number of settled recipients.
    pub(crate) fn settled(&self) -> u64 {
        (self.checkpoint.cursor + self.outcomes.iter().flatten().count()) as u64
    }

    /// Returns the error of an attempt whose time is over.
    pub(crate) fn out_of_time(&self) -> Error {
        let open = self
            .outcomes
            .iter()
            .filter(|outcome| outcome.is_none())
            .count();
        self.stopped(Error::OutOfTime(open))
    }

    /// Returns the error of an attempt that ends with `error`. After a limit or the deadline, an attempt with progress
    /// continues in another message, which starts at its cursor.
    pub(crate) fn stopped(&self, error: Error) -> Error {
        let sent = |outcome: &SendOutcome| matches!(outcome, SendOutcome::Sent { .. });
        let is_further = self.first_open() > 0 || self.outcomes.iter().flatten().any(sent);
        match error.pause().filter(|_| is_further) {
            Some(after) => Error::Continued {
                after,
                checkpoint: json!(self.checkpoint()),
                reason: error.to_string(),
            },
            None => error,
        }
    }

    /// Returns the result if all recipients are settled. A result of several mails has no message id.
    pub(crate) fn finish(self) -> Delivered {
        let Checkpoint { mut delivered, .. } = self.checkpoint();
        delivered.message_id = None;
        delivered
    }

    fn first_open(&self) -> usize {
        self.outcomes
            .iter()
            .take_while(|outcome| outcome.is_some())
            .count()
    }

    fn checkpoint(&self) -> Checkpoint {
        let Checkpoint {
            cursor,
            mut delivered,
        } = self.checkpoint.clone();
        let further = self.first_open();
        for (place, outcome) in self.outcomes.iter().flatten().take(further).enumerate() {
            delivered.count(cursor + place, outcome.clone());
        }
        Checkpoint {
            cursor: cursor + further,
            delivered,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Checkpoint, Run};
    use crate::dispatcher::SendOutcome;
    use crate::outcome::Error;

    fn sent() -> SendOutcome {
        SendOutcome::Sent {
            message_id: None,
            in_doubt: false,
        }
    }

    fn next(run: &Run) -> Run {
        let Error::Continued { checkpoint, .. } = run.out_of_time() else {
            panic!("another error");
        };
        let checkpoint: Checkpoint = serde_json::from_value(checkpoint).unwrap();
        Run::new(checkpoint, 5)
    }

    fn places(run: &Run) -> Vec<usize> {
        run.places(1).collect()
    }

    #[test]
    fn resumed_bulk_begins_at_the_first_unsettled_recipient_and_counts_each_once() {
        let mut run = Run::new(Checkpoint::default(), 5);
        run.count(0, sent());
        let reason = "no".into();
        run.count(1, SendOutcome::Rejected { reason });
        run.count(3, sent());
        let mut run = next(&run);
        assert_eq!((places(&run), run.settled()), (vec![2, 3, 4], 2));
        run.count(2, sent());
        run.count(3, SendOutcome::Skipped { in_doubt: false });
        let mut run = next(&run);
        assert_eq!(places(&run), [4]);
        run.count(4, sent());
        let result = run.finish();
        assert_eq!((result.sent, result.skipped), (3, 1));
        assert_eq!(result.rejected.len(), 1);
        assert_eq!(result.rejected[0].recipient, 1);
    }

    #[test]
    fn attempt_without_progress_is_deferred_and_not_continued() {
        let mut run = Run::new(Checkpoint::default(), 5);
        run.count(3, SendOutcome::Skipped { in_doubt: false });
        assert!(matches!(run.out_of_time(), Error::OutOfTime(4)));
        run.count(4, sent());
        assert!(matches!(run.out_of_time(), Error::Continued { .. }));
    }

    #[test]
    fn limit_after_a_mail_continues_after_the_providers_wait_and_a_fault_is_retried() {
        let mut run = Run::new(Checkpoint::default(), 5);
        run.count(0, sent());
        let wait = Duration::from_secs(7);
        let throttled = Error::Throttled {
            retry_after: Some(wait),
            reason: "too fast".into(),
        };
        let stopped = run.stopped(throttled);
        assert!(matches!(stopped, Error::Continued { after, .. } if after == wait));
        assert!(matches!(run.stopped(Error::Busy), Error::Busy));
    }

    #[test]
    fn later_attempt_begins_after_recipients_that_may_have_stopped_the_one_before() {
        let run = Run::new(Checkpoint::default(), 5);
        assert_eq!(run.places(2).collect::<Vec<_>>(), [2, 3, 4, 0, 1]);
        assert_eq!(Run::new(Checkpoint::default(), 0).places(3).count(), 0);
    }
}
