//! How far a bulk is: what this attempt has settled, and what it leaves to the next one.

use serde::{Deserialize, Serialize};

use crate::outcome::{Delivered, Error};
use crate::post::Fate;

/// What an attempt leaves to the next one: the recipients before the cursor are settled, and so they stand in the result.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Left {
    cursor: usize,
    delivered: Delivered,
}

/// An attempt under way.
pub(crate) struct Run {
    first: usize,
    settled: usize,
    delivered: Delivered,
    /// Where the first recipient stands whose turn has not come, and what had come of those before.
    gap: Option<Left>,
}

impl From<Left> for Run {
    fn from(left: Left) -> Self {
        Self {
            first: left.cursor,
            settled: left.cursor,
            delivered: left.delivered,
            gap: None,
        }
    }
}

impl Run {
    /// The first recipient of this attempt.
    pub(crate) fn first(&self) -> usize {
        self.first
    }

    /// How many recipients are settled.
    pub(crate) fn settled(&self) -> u64 {
        self.settled as u64
    }

    /// Counts what became of a recipient.
    pub(crate) fn count(&mut self, place: usize, fate: Fate) {
        self.delivered.count(place, fate);
        self.settled += 1;
    }

    /// Passes over a recipient whose turn has not come: the next attempt begins there.
    pub(crate) fn hold(&mut self) {
        if self.gap.is_none() {
            self.gap = Some(self.left());
        }
    }

    fn left(&self) -> Left {
        Left {
            cursor: self.settled,
            delivered: self.delivered.clone(),
        }
    }

    /// Why the attempt ends before all of `total` are settled.
    pub(crate) fn out_of_time(self, total: usize) -> Error {
        Error::OutOfTime {
            recipients: total.saturating_sub(self.settled),
            progressed: self.settled > self.first,
            left: serde_json::json!(self.gap.clone().unwrap_or_else(|| self.left())),
        }
    }

    /// The result, where all are settled. Of many mails no single id is told.
    pub(crate) fn finish(mut self) -> Delivered {
        self.delivered.message_id = None;
        self.delivered
    }
}

#[cfg(test)]
mod tests {
    use super::{Left, Run};
    use crate::outcome::{Delivered, Error};
    use crate::post::Fate;

    fn sent() -> Fate {
        Fate::Sent {
            message_id: None,
            in_doubt: false,
        }
    }

    fn next(run: Run) -> (bool, Run) {
        let Error::OutOfTime {
            progressed, left, ..
        } = run.out_of_time(5)
        else {
            panic!("another error");
        };
        let left: Left = serde_json::from_value(left).unwrap();
        (progressed, Run::from(left))
    }

    #[test]
    fn resumed_bulk_begins_at_the_first_that_is_not_settled_and_counts_each_once() {
        let mut run = Run::from(Left::default());
        run.count(0, sent());
        run.count(
            1,
            Fate::Rejected {
                reason: "no".into(),
            },
        );
        run.hold();
        run.count(3, sent());
        let (progressed, mut run) = next(run);
        assert!(progressed);
        assert_eq!((run.first(), run.settled()), (2, 2));
        run.count(2, sent());
        run.count(3, Fate::Skipped { in_doubt: false });
        let (_, mut run) = next(run);
        assert_eq!(run.first(), 4);
        run.count(4, sent());
        let Delivered {
            sent,
            skipped,
            rejected,
            ..
        } = run.finish();
        assert_eq!((sent, skipped, rejected.len()), (3, 1, 1));
        assert_eq!(rejected[0].recipient, 1);
    }

    #[test]
    fn attempt_that_settles_nobody_has_not_progressed() {
        let (progressed, run) = next(Run::from(Left::default()));
        assert!(!progressed);
        assert_eq!(run.first(), 0);
    }
}
