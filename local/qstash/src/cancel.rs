//! Cancels messages. Best effort, as documented: a running delivery may still arrive.

use crate::event::{Event, State};
use crate::message::Message;
use crate::publish::Now;
use crate::schedule::{self, RunState};
use crate::scheduler::Change;
use crate::store::{self, Transaction};

/// Cancels a message. Returns whether it was still active.
pub(crate) fn cancel(
    tx: &Transaction<'_>,
    id: &str,
    now: Now,
    changes: &mut Vec<Change>,
) -> Result<bool, store::Error> {
    let Some(message) = tx.get::<Message>(id)? else {
        return Ok(false);
    };
    tx.remove::<Message>(id)?;
    tx.remove_body(id)?;
    tx.log(&Event::new(State::Cancelled, &message, now.wall_ms))?;
    if let Some(schedule) = &message.schedule_id {
        schedule::settle(tx, schedule, id, RunState::Fail)?;
    }
    changes.push(Change::Remove(message.id));
    Ok(true)
}

/// Cancels many messages. Returns how many were still active.
pub(crate) fn cancel_all(
    tx: &Transaction<'_>,
    ids: &[String],
    now: Now,
    changes: &mut Vec<Change>,
) -> Result<usize, store::Error> {
    let mut cancelled = 0;
    for id in ids {
        cancelled += usize::from(cancel(tx, id, now, changes)?);
    }
    Ok(cancelled)
}
