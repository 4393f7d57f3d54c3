//! How far a bulk is: what this attempt has settled, and what it leaves to the next one.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::dispatcher::SendOutcome;
use crate::failures::FailureTracker;
use crate::outcome::{Delivered, Error};

/// What an attempt leaves to the next one: the recipients before the cursor are settled, and so they stand in the result.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Checkpoint {
    cursor: usize,
    delivered: Delivered,
}

/// An attempt under way.
pub(crate) struct Run {
    checkpoint: Checkpoint,
    /// What became of the recipients from the cursor on.
    outcomes: Vec<Option<SendOutcome>>,
}

impl Run {
    /// An attempt that goes on where one before has stopped, at a bulk of `total` recipients.
    pub(crate) fn new(checkpoint: Checkpoint, total: usize) -> Self {
        let rest = total.saturating_sub(checkpoint.cursor);
        Self {
            checkpoint,
            outcomes: std::iter::repeat_with(|| None).take(rest).collect(),
        }
    }

    /// The recipients that are left, in the order of this attempt.
    pub(crate) fn places(&self, attempt: u32) -> impl Iterator<Item = usize> + use<> {
        let (cursor, rest) = (self.checkpoint.cursor, self.outcomes.len());
        let start = FailureTracker::start(attempt, rest);
        (0..rest).map(move |turn| cursor + (start + turn) % rest)
    }

    /// Counts what became of a recipient.
    pub(crate) fn count(&mut self, place: usize, outcome: SendOutcome) {
        if let Some(counted) = self.outcomes.get_mut(place - self.checkpoint.cursor) {
            *counted = Some(outcome);
        }
    }

    /// How many recipients are settled.
    pub(crate) fn settled(&self) -> u64 {
        (self.checkpoint.cursor + self.outcomes.iter().flatten().count()) as u64
    }

    /// Why the attempt ends when its time is over.
    pub(crate) fn out_of_time(&self) -> Error {
        let open = self
            .outcomes
            .iter()
            .filter(|outcome| outcome.is_none())
            .count();
        self.stopped(Error::OutOfTime(open))
    }

    /// Why the attempt ends with `error`. After a limit or the end of the time, an attempt that got further goes on in
    /// another message, which begins where this one has come to.
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

    /// The result, where all are settled. Of many mails no single id is named.
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
