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
    static RIDER: Rider;
}

/// The rider of the present work, and how its answer is judged.
#[derive(Clone)]
struct Rider {
    seat: Arc<Mutex<Seat>>,
    refused: Arc<Notify>,
    admits: fn(&Result<Reply, Error>) -> bool,
}

/// Where the rider is.
#[derive(Debug)]
enum Seat {
    /// Nobody has taken it along yet.
    Waiting(Invocation),
    /// On its way.
    Riding,
    /// Back.
    Arrived(Result<Reply, Error>),
}

/// What became of a rider.
#[derive(Debug)]
pub enum Ride {
    /// The work asked nothing of the store: the call is still to be made.
    Unspent(Invocation),
    /// It was asked, and this is the answer.
    Answered(Result<Reply, Error>),
    /// It was sent, and the work gave up waiting.
    Lost,
}

/// Does `work`, whose first request to any store takes `rider` along. `admits` judges the rider's answer before the
/// work sees its own; work that it refuses is dropped and has no output.
pub async fn carry<F: Future>(
    rider: Invocation,
    admits: fn(&Result<Reply, Error>) -> bool,
    work: F,
) -> (Option<F::Output>, Ride) {
    let rider = Rider {
        seat: Arc::new(Mutex::new(Seat::Waiting(rider))),
        refused: Arc::default(),
        admits,
    };
    let output = tokio::select! {
        biased;
        () = rider.refused.notified() => None,
        output = RIDER.scope(rider.clone(), work) => Some(output),
    };
    let ride = match rider.put(Seat::Riding) {
        Seat::Waiting(rider) => Ride::Unspent(rider),
        Seat::Riding => Ride::Lost,
        Seat::Arrived(answer) => Ride::Answered(answer),
    };
    (output, ride)
}

/// Takes the rider of the present work along, if one waits.
pub(super) fn board() -> Option<Invocation> {
    let board = |rider: &Rider| match rider.put(Seat::Riding) {
        Seat::Waiting(invocation) => Some(invocation),
        other => {
            rider.put(other);
            None
        }
    };
    RIDER.try_with(board).ok().flatten()
}

/// Hands the rider's answer over. Never returns if the answer refuses the work, which [`carry`] then drops.
pub(super) async fn alight(answer: Result<Reply, Error>) {
    let alight = |rider: &Rider| {
        let is_admitted = (rider.admits)(&answer);
        rider.put(Seat::Arrived(answer));
        if !is_admitted {
            rider.refused.notify_one();
        }
        is_admitted
    };
    if RIDER.try_with(alight) == Ok(false) {
        std::future::pending::<()>().await;
    }
}

impl Rider {
    /// Puts the seat into a state, and gives the state before.
    fn put(&self, next: Seat) -> Seat {
        // Nothing panics while it holds the lock, and what is in it stays whole.
        let mut seat = self.seat.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *seat, next)
    }
}
