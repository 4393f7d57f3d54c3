//! How far a bulk is: what this attempt has settled, and what it leaves to the next one.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::outcome::{Delivered, Error};
use crate::post::Fate;
use crate::troubles::Troubles;

/// What an attempt leaves to the next one: the recipients before the cursor are settled, and so they stand in the result.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Left {
    cursor: usize,
    delivered: Delivered,
}

/// An attempt under way.
pub(crate) struct Run {
    left: Left,
    /// What became of the recipients from the cursor on.
    fates: Vec<Option<Fate>>,
}

impl Run {
    /// An attempt that goes on where one before has stopped, at a bulk of `total` recipients.
    pub(crate) fn new(left: Left, total: usize) -> Self {
        let rest = total.saturating_sub(left.cursor);
        Self {
            left,
            fates: std::iter::repeat_with(|| None).take(rest).collect(),
        }
    }

    /// The recipients that are left, in the order of this attempt.
    pub(crate) fn places(&self, attempt: u32) -> impl Iterator<Item = usize> + use<> {
        let (cursor, rest) = (self.left.cursor, self.fates.len());
        let start = Troubles::start(attempt, rest);
        (0..rest).map(move |turn| cursor + (start + turn) % rest)
    }

    /// Counts what became of a recipient.
    pub(crate) fn count(&mut self, place: usize, fate: Fate) {
        if let Some(counted) = self.fates.get_mut(place - self.left.cursor) {
            *counted = Some(fate);
        }
    }

    /// How many recipients are settled.
    pub(crate) fn settled(&self) -> u64 {
        (self.left.cursor + self.fates.iter().flatten().count()) as u64
    }

    /// Why the attempt ends when its time is over.
    pub(crate) fn out_of_time(&self) -> Error {
        let left = self.fates.iter().filter(|fate| fate.is_none()).count();
        self.stopped(Error::OutOfTime(left))
    }

    /// Why the attempt ends with `error`. After a limit or the end of the time, an attempt that got further goes on in
    /// another message, which begins where this one has come to.
    pub(crate) fn stopped(&self, error: Error) -> Error {
        let sent = |fate: &Fate| matches!(fate, Fate::Sent { .. });
        let is_further = self.first_open() > 0 || self.fates.iter().flatten().any(sent);
        match error.pause().filter(|_| is_further) {
            Some(after) => Error::Continued {
                after,
                left: json!(self.left()),
                reason: error.to_string(),
            },
            None => error,
        }
    }

    /// The result, where all are settled. Of many mails no single id is named.
    pub(crate) fn finish(self) -> Delivered {
        let Left { mut delivered, .. } = self.left();
        delivered.message_id = None;
        delivered
    }

    fn first_open(&self) -> usize {
        self.fates.iter().take_while(|fate| fate.is_some()).count()
    }

    fn left(&self) -> Left {
        let Left {
            cursor,
            mut delivered,
        } = self.left.clone();
        let further = self.first_open();
        for (place, fate) in self.fates.iter().flatten().take(further).enumerate() {
            delivered.count(cursor + place, fate.clone());
        }
        Left {
            cursor: cursor + further,
            delivered,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Left, Run};
    use crate::outcome::Error;
    use crate::post::Fate;

    fn sent() -> Fate {
        Fate::Sent {
            message_id: None,
            in_doubt: false,
        }
    }

    fn next(run: &Run) -> Run {
        let Error::Continued { left, .. } = run.out_of_time() else {
            panic!("another error");
        };
        let left: Left = serde_json::from_value(left).unwrap();
        Run::new(left, 5)
    }

    fn places(run: &Run) -> Vec<usize> {
        run.places(1).collect()
    }

    #[test]
    fn resumed_bulk_begins_at_the_first_that_is_not_settled_and_counts_each_once() {
        let mut run = Run::new(Left::default(), 5);
        run.count(0, sent());
        let reason = "no".into();
        run.count(1, Fate::Rejected { reason });
        run.count(3, sent());
        let mut run = next(&run);
        assert_eq!((places(&run), run.settled()), (vec![2, 3, 4], 2));
        run.count(2, sent());
        run.count(3, Fate::Skipped { in_doubt: false });
        let mut run = next(&run);
        assert_eq!(places(&run), [4]);
        run.count(4, sent());
        let result = run.finish();
        assert_eq!((result.sent, result.skipped), (3, 1));
        assert_eq!(result.rejected.len(), 1);
        assert_eq!(result.rejected[0].recipient, 1);
    }

    #[test]
    fn attempt_that_gets_no_further_is_put_off_and_not_continued() {
        let mut run = Run::new(Left::default(), 5);
        run.count(3, Fate::Skipped { in_doubt: false });
        assert!(matches!(run.out_of_time(), Error::OutOfTime(4)));
        run.count(4, sent());
        assert!(matches!(run.out_of_time(), Error::Continued { .. }));
    }

    #[test]
    fn limit_after_a_mail_goes_on_when_the_provider_says_and_a_fault_spends_a_retry() {
        let mut run = Run::new(Left::default(), 5);
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
    fn later_attempt_begins_behind_the_recipients_that_may_have_stopped_the_one_before() {
        let run = Run::new(Left::default(), 5);
        assert_eq!(run.places(2).collect::<Vec<_>>(), [2, 3, 4, 0, 1]);
        assert_eq!(Run::new(Left::default(), 0).places(3).count(), 0);
    }
}
