//! A sweep of the outbox: batch by batch, so that ten thousand rows take no more memory than a hundred.

use std::time::Duration;

use serde_json::{Value, json};
use shared::service::job::Stop;
use shared::service::outbox::{Outbox, Outcome};
use tokio::time::Instant;

use crate::apply::{Applied, Apply};

/// Rows in a batch: of a quarter of a megabyte at the most each, and mostly of less than one kilobyte.
const BATCH: u32 = 100;

/// Rows that are done and old, and go with one sweep: more than a sweep of five minutes brings.
const PURGE: u32 = 10_000;

/// How soon the next message goes on.
const PAUSE: Duration = Duration::from_secs(1);

/// What a sweep came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Swept {
    /// Rows that are done.
    pub(crate) done: usize,
    /// Rows that will be tried again.
    pub(crate) delayed: usize,
    /// Rows that were set aside.
    pub(crate) set_aside: usize,
    /// Old rows that are gone.
    pub(crate) purged: u64,
    /// Whether time ran out before the rows did.
    pub(crate) unfinished: bool,
}

impl Swept {
    /// The sweep, if all rows had their turn. What the time did not suffice for goes on in the next message.
    pub(crate) fn finished(self) -> Result<Self, Stop> {
        if self.unfinished {
            let reason = format!("{} rows processed; more are waiting", self.done);
            return Err(Stop::continue_after(PAUSE, reason));
        }
        Ok(self)
    }

    /// What there is to say of it.
    pub(crate) fn summary(&self) -> Value {
        json!({
            "done": self.done,
            "resting": self.delayed,
            "setAside": self.set_aside,
            "purged": self.purged,
        })
    }
}

/// A sweep under way.
pub(crate) struct Sweep<'a> {
    outbox: &'a Outbox,
    until: Instant,
    swept: Swept,
}

impl<'a> Sweep<'a> {
    pub(crate) fn new(outbox: &'a Outbox, until: Instant) -> Self {
        Self {
            outbox,
            until,
            swept: Swept::default(),
        }
    }

    /// Does all rows of one kind that are due, as far as the time goes.
    pub(crate) async fn drain<A: Apply>(&mut self, applier: &A) -> Result<(), Stop> {
        loop {
            if Instant::now() >= self.until {
                self.swept.unfinished = true;
                return Ok(());
            }
            let claimed = self.outbox.claim(&[A::KIND], BATCH).await;
            let claimed = claimed.map_err(Stop::retry)?;
            if claimed.rows.is_empty() {
                return Ok(());
            }
            let Applied { outcomes, stop } = applier.apply(&claimed.rows).await;
            // If this fails, the claim ends by itself, and doing the rows again is harmless.
            let settled = self.outbox.settle(&claimed, &outcomes).await;
            self.count(&outcomes);
            match stop {
                Some(stop) => return Err(stop),
                None => settled.map_err(Stop::retry)?,
            }
        }
    }

    fn count(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            match outcome {
                Outcome::Done => self.swept.done += 1,
                Outcome::Retry { .. } | Outcome::Release(_) => self.swept.delayed += 1,
                Outcome::SetAside(reason) => {
                    tracing::error!(%reason, "outbox row set aside; it is not retried");
                    self.swept.set_aside += 1;
                }
            }
        }
    }

    /// Removes old rows, unless the time is needed for new ones.
    pub(crate) async fn purge(&mut self) -> Result<(), Stop> {
        if !self.swept.unfinished {
            self.swept.purged = self.outbox.purge(PURGE).await.map_err(Stop::retry)?;
        }
        Ok(())
    }

    /// What the sweep came to.
    pub(crate) fn result(&self) -> Swept {
        self.swept
    }
}
