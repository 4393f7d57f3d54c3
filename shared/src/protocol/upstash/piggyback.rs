//! Piggyback: a script call that is sent together with the first request of some work.
//!
//! A check that precedes every read, such as a rate limit, would cost its own round trip. Instead it is attached to the
//! client: the first command, script call or pipeline of the work is sent in the same request, after the check. Its
//! answer goes to the sender of the check. If the answer rejects the work, the work is dropped: a rejection is not an
//! outage, and must not be bypassed by reading from Postgres. The attached request has already run then, so it must
//! only read.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::error::Error;
use super::reply::Reply;
use super::script::Invocation;

tokio::task_local! {
    static PIGGYBACK: Piggyback;
}

/// The attached call of the current work, and the function that judges its answer.
#[derive(Clone)]
struct Piggyback {
    slot: Arc<Mutex<Slot>>,
    refused: Arc<Notify>,
    admits: fn(&Result<Reply, Error>) -> bool,
}

/// The state of the attached call.
#[derive(Debug)]
enum Slot {
    /// Not sent yet.
    Waiting(Invocation),
    /// Sent, not answered yet.
    InFlight,
    /// Answered.
    Arrived(Result<Reply, Error>),
}

/// The final state of an attached call.
#[derive(Debug)]
pub enum PiggybackResult {
    /// The work sent no request: the call was not made.
    Unspent(Invocation),
    /// The call was made, with this answer.
    Answered(Result<Reply, Error>),
    /// The call was sent, but the work stopped waiting for the answer.
    Lost,
}

/// Runs `work` and attaches `piggyback` to its first request to any store. `admits` judges the answer before the work
/// sees its own. Rejected work is dropped and has no output.
pub async fn attach<F: Future>(
    piggyback: Invocation,
    admits: fn(&Result<Reply, Error>) -> bool,
    work: F,
) -> (Option<F::Output>, PiggybackResult) {
    let piggyback = Piggyback {
        slot: Arc::new(Mutex::new(Slot::Waiting(piggyback))),
        refused: Arc::default(),
        admits,
    };
    let output = tokio::select! {
        biased;
        () = piggyback.refused.notified() => None,
        output = PIGGYBACK.scope(piggyback.clone(), work) => Some(output),
    };
    let result = match piggyback.replace(Slot::InFlight) {
        Slot::Waiting(piggyback) => PiggybackResult::Unspent(piggyback),
        Slot::InFlight => PiggybackResult::Lost,
        Slot::Arrived(answer) => PiggybackResult::Answered(answer),
    };
    (output, result)
}

/// Takes the attached call of the current work, if it was not sent yet.
pub(super) fn take() -> Option<Invocation> {
    let take = |piggyback: &Piggyback| match piggyback.replace(Slot::InFlight) {
        Slot::Waiting(invocation) => Some(invocation),
        other => {
            piggyback.replace(other);
            None
        }
    };
    PIGGYBACK.try_with(take).ok().flatten()
}

/// Delivers the answer of the attached call. Never returns if the answer rejects the work, which [`attach`] then drops.
pub(super) async fn resolve(answer: Result<Reply, Error>) {
    let resolve = |piggyback: &Piggyback| {
        let is_admitted = (piggyback.admits)(&answer);
        piggyback.replace(Slot::Arrived(answer));
        if !is_admitted {
            piggyback.refused.notify_one();
        }
        is_admitted
    };
    if PIGGYBACK.try_with(resolve) == Ok(false) {
        std::future::pending::<()>().await;
    }
}

impl Piggyback {
    /// Sets the slot's state, and returns the previous one.
    fn replace(&self, next: Slot) -> Slot {
        // No code panics while it holds the lock, so a poisoned value is still consistent.
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *slot, next)
    }
}
