//! One call of a function, from its arrival to its result.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use uuid::Uuid;

use crate::InvokeError;

/// The result of a call.
pub(crate) type Outcome = Result<Bytes, InvokeError>;

/// A call that waits for an instance.
pub(crate) struct Invocation {
    request_id: String,
    event: Bytes,
    reply: oneshot::Sender<Outcome>,
}

/// A call that an instance has taken.
pub(crate) struct Current {
    request_id: String,
    reply: oneshot::Sender<Outcome>,
    timer: Option<AbortHandle>,
    since: Instant,
}

impl Invocation {
    /// Creates a call with this event. Returns it with the receiver of its result.
    pub(crate) fn new(event: Bytes) -> (Self, oneshot::Receiver<Outcome>) {
        let (reply, outcome) = oneshot::channel();
        (
            Self {
                request_id: Uuid::new_v4().to_string(),
                event,
                reply,
            },
            outcome,
        )
    }

    /// Returns whether its caller has stopped waiting.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    /// Splits it into the part for the instance and the part that stays here.
    pub(crate) fn take(self) -> (Bytes, Current) {
        (
            self.event,
            Current {
                request_id: self.request_id,
                reply: self.reply,
                timer: None,
                since: Instant::now(),
            },
        )
    }

    /// Ends it before an instance took it.
    pub(crate) fn fail(self, error: InvokeError) {
        self.take().1.end(Err(error));
    }
}

impl Current {
    /// Returns its id.
    pub(crate) fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Returns how long ago the instance took it.
    pub(crate) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// Sets the task that ends it at its timeout.
    pub(crate) fn set_timer(&mut self, timer: AbortHandle) {
        self.timer = Some(timer);
    }

    /// Sends the outcome to its caller, who may have stopped waiting.
    pub(crate) fn end(self, outcome: Outcome) {
        if let Some(timer) = self.timer {
            timer.abort();
        }
        drop(self.reply.send(outcome));
    }
}
