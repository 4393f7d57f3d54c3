//! A script call that rides along with whatever a piece of work asks of the store first.
//!
//! A question that has to be asked before every read, such as a rate limit, costs a round trip of its own when it is
//! asked by itself. Here it waits at the door of the client: the first command, script call or pipeline that the work
//! sends takes it along, in front, in the same request. Its answer goes to whoever sent it; if that answer refuses,
//! the work is dropped where it waits: a refusal is not an outage, and must not be worked around by asking Postgres.
//! What was asked has then been read in vain, so what travels with a rider must only read.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::error::Error;
use super::reply::Reply;
use super::script::Invocation;

tokio::task_local! {
    static PIGGYBACK: Piggyback;
}

/// The rider of the present work, and how its answer is judged.
#[derive(Clone)]
struct Piggyback {
    slot: Arc<Mutex<Slot>>,
    refused: Arc<Notify>,
    admits: fn(&Result<Reply, Error>) -> bool,
}

/// Where the rider is.
#[derive(Debug)]
enum Slot {
    /// Nobody has taken it along yet.
    Waiting(Invocation),
    /// On its way.
    InFlight,
    /// Back.
    Arrived(Result<Reply, Error>),
}

/// What became of a rider.
#[derive(Debug)]
pub enum PiggybackResult {
    /// The work asked nothing of the store: the call is still to be made.
    Unspent(Invocation),
    /// It was asked, and this is the answer.
    Answered(Result<Reply, Error>),
    /// It was sent, and the work gave up waiting.
    Lost,
}

/// Does `work`, whose first request to any store takes `piggyback` along. `admits` judges the rider's answer before the
/// work sees its own; work that it refuses is dropped and has no output.
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

/// Takes the rider of the present work along, if one waits.
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

/// Hands the rider's answer over. Never returns if the answer refuses the work, which [`attach`] then drops.
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
    /// Puts the seat into a state, and gives the state before.
    fn replace(&self, next: Slot) -> Slot {
        // Nothing panics while it holds the lock, and what is in it stays whole.
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *slot, next)
    }
}
