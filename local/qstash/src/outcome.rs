//! The result of an attempt: delivered, retried, or failed. All its effects are one transaction.

use http::HeaderMap;

use crate::backoff;
use crate::callback;
use crate::clock::millis;
use crate::dead_letter::{DeadLetter, DeadLetterId};
use crate::event::{Event, Response, State};
use crate::message::{Message, MessageId};
use crate::publish::Now;
use crate::schedule::{self, RunState};
use crate::scheduler::Change;
use crate::store::{self, Transaction};
use crate::usage;

/// The status with which a receiver rejects a message permanently, together with [`NON_RETRYABLE_HEADER`].
const NON_RETRYABLE_STATUS: u16 = 489;
const NON_RETRYABLE_HEADER: &str = "upstash-nonretryable-error";

/// One attempt to deliver.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// When it started, in wall-clock milliseconds.
    pub(crate) started_ms: u64,
    /// The response, or why there was none.
    pub(crate) response: Response,
    /// The response's headers, if there was one.
    pub(crate) headers: Option<HeaderMap>,
}

enum Verdict {
    Delivered,
    RetryAfter(u64),
    Failed,
}

impl Attempt {
    fn verdict(&self, message: &Message, now: Now) -> Verdict {
        if (200..300).contains(&self.response.status) {
            return Verdict::Delivered;
        }
        let headers = self.headers.as_ref();
        let refused = self.response.status == NON_RETRYABLE_STATUS
            && headers
                .and_then(|headers| headers.get(NON_RETRYABLE_HEADER))
                .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
        if refused || message.retried >= message.options.max_retries() {
            return Verdict::Failed;
        }
        Verdict::RetryAfter(millis(backoff::delay(
            &message.options,
            message.retried,
            headers,
            now.wall_ms,
        )))
    }
}

/// Records the result of an attempt. A message that was cancelled meanwhile no longer exists: nothing follows.
pub(crate) fn settle(
    tx: &Transaction<'_>,
    id: &MessageId,
    attempt: &Attempt,
    now: Now,
) -> Result<Vec<Change>, store::Error> {
    let mut changes = Vec::new();
    let Some(message) = tx.get::<Message>(id.as_str())? else {
        return Ok(changes);
    };
    tx.log(&Event::new(State::Active, &message, attempt.started_ms))?;
    let verdict = attempt.verdict(&message, now);
    if let Some(to) = &message.options.callback {
        callback::publish(tx, to, &message, &attempt.response, None, now, &mut changes)?;
    }
    match verdict {
        Verdict::Delivered => delivered(tx, &message, now, &mut changes)?,
        Verdict::RetryAfter(delay_ms) => retry(tx, message, attempt, delay_ms, now, &mut changes)?,
        Verdict::Failed => failed(tx, &message, attempt, now, &mut changes)?,
    }
    Ok(changes)
}

fn delivered(
    tx: &Transaction<'_>,
    message: &Message,
    now: Now,
    changes: &mut Vec<Change>,
) -> Result<(), store::Error> {
    tx.log(&Event::new(State::Delivered, message, now.wall_ms))?;
    tx.remove_body(message.id.as_str())?;
    end(tx, message, RunState::Success, changes)
}

fn retry(
    tx: &Transaction<'_>,
    mut message: Message,
    attempt: &Attempt,
    delay_ms: u64,
    now: Now,
    changes: &mut Vec<Change>,
) -> Result<(), store::Error> {
    log_error(tx, &message, attempt, now)?;
    usage::count(tx, now)?;
    message.retried += 1;
    message.due_ms = now.broker_ms.saturating_add(delay_ms);
    tx.put(message.id.as_str(), &message)?;
    let next_delivery_ms = Some(now.wall_ms.saturating_add(delay_ms));
    tx.log(&Event {
        next_delivery_ms,
        ..Event::new(State::Retry, &message, now.wall_ms)
    })?;
    changes.push(Change::Retry {
        id: message.id,
        due_ms: message.due_ms,
    });
    Ok(())
}

fn failed(
    tx: &Transaction<'_>,
    message: &Message,
    attempt: &Attempt,
    now: Now,
    changes: &mut Vec<Change>,
) -> Result<(), store::Error> {
    log_error(tx, message, attempt, now)?;
    let response = attempt.response.clone();
    let kept_ms = millis(tx.limits().dead_letter_retention);
    let letter = DeadLetter {
        message: message.clone(),
        failed_ms: now.wall_ms,
        response,
        expires_ms: Some(now.broker_ms.saturating_add(kept_ms)),
    };
    let dead_letter: DeadLetterId = tx.put_dead_letter(&letter, now.broker_ms)?;
    let event = Event::new(State::Failed, message, now.wall_ms);
    tx.log(&Event {
        response: Some(attempt.response.clone()),
        ..event
    })?;
    if let Some(to) = &message.options.failure_callback {
        callback::publish(
            tx,
            to,
            message,
            &attempt.response,
            Some(dead_letter),
            now,
            changes,
        )?;
    }
    end(tx, message, RunState::Fail, changes)
}

fn log_error(
    tx: &Transaction<'_>,
    message: &Message,
    attempt: &Attempt,
    now: Now,
) -> Result<(), store::Error> {
    let event = Event::new(State::Error, message, now.wall_ms);
    tx.log(&Event {
        response: Some(attempt.response.clone()),
        ..event
    })
}

fn end(
    tx: &Transaction<'_>,
    message: &Message,
    state: RunState,
    changes: &mut Vec<Change>,
) -> Result<(), store::Error> {
    tx.remove::<Message>(message.id.as_str())?;
    if let Some(id) = &message.schedule_id {
        schedule::settle(tx, id, message.id.as_str(), state)?;
    }
    changes.push(Change::Remove(message.id.clone()));
    Ok(())
}
