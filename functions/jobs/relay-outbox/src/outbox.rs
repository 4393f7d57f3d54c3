//! A sweep of the outbox, in batches, so that ten thousand rows need no more memory than a hundred.

use std::time::Duration;

use serde_json::{Value, json};
use shared::service::job::Stop;
use shared::service::outbox::{Outbox, Outcome};
use tokio::time::Instant;

use crate::apply::{Applied, Apply};

/// Rows per batch. A row has at most a quarter of a megabyte, and mostly less than one kilobyte.
const BATCH: u32 = 100;

/// Old finished rows that one sweep deletes: more than five minutes add.
const PURGE: u32 = 10_000;

/// The delay of the next message.
const PAUSE: Duration = Duration::from_secs(1);

/// The result of a sweep.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Swept {
    /// Rows that are finished.
    pub(crate) done: usize,
    /// Rows that will be retried.
    pub(crate) delayed: usize,
    /// Rows that were set aside.
    pub(crate) set_aside: usize,
    /// Old rows that were deleted.
    pub(crate) purged: u64,
    /// Whether time ran out before the rows did.
    pub(crate) unfinished: bool,
}

impl Swept {
    /// Returns the sweep if it processed all rows. Otherwise the next message continues.
    pub(crate) fn finished(self) -> Result<Self, Stop> {
        if self.unfinished {
            let reason = format!("{} rows processed; more are waiting", self.done);
            return Err(Stop::continue_after(PAUSE, reason));
        }
        Ok(self)
    }

    /// Returns a summary of the sweep.
    pub(crate) fn summary(&self) -> Value {
        json!({
            "done": self.done,
            "resting": self.delayed,
            "setAside": self.set_aside,
            "purged": self.purged,
        })
    }
}

/// A running sweep.
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

    /// Relays all due rows of one kind while time is left.
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
            // If this fails, the claim expires, and applying the rows again is harmless.
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

    /// Deletes old rows, unless new rows need the time.
    pub(crate) async fn purge(&mut self) -> Result<(), Stop> {
        if !self.swept.unfinished {
            self.swept.purged = self.outbox.purge(PURGE).await.map_err(Stop::retry)?;
        }
        Ok(())
    }

    /// Returns the result of the sweep.
    pub(crate) fn result(&self) -> Swept {
        self.swept
    }
}
