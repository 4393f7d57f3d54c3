//! Schedules: messages that are published repeatedly.
//!
//! Source: <https://upstash.com/docs/qstash/features/schedules>.

use std::collections::BTreeMap;

use bytes::Bytes;
use redb::TableDefinition;
use serde::{Deserialize, Serialize};

use crate::cron::CronExpression;
use crate::deduplication::Deduplication;
use crate::destination::Destination;
use crate::name::Name;
use crate::options::Options;
use crate::publish::{self, Draft};
use crate::scheduler::Change;
use crate::store::{self, Record, Transaction};

/// The state of the last run's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum RunState {
    /// Active.
    InProgress,
    /// Delivered.
    Success,
    /// Failed.
    Fail,
}

/// A message that is published repeatedly. Its body is in the table of bodies, under [`body_key`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Schedule {
    /// Its id.
    pub(crate) id: Name,
    /// Its times.
    pub(crate) cron: CronExpression,
    /// Its destination.
    pub(crate) destination: Destination,
    /// Its options.
    pub(crate) options: Options,
    /// The creator's address.
    pub(crate) caller_ip: String,
    /// When it was created, in wall-clock milliseconds.
    pub(crate) created_ms: u64,
    /// Whether it is paused: its times pass without a message.
    pub(crate) paused: bool,
    /// The next time, in broker milliseconds.
    pub(crate) next_ms: Option<u64>,
    /// The last time, in broker milliseconds.
    pub(crate) last_ms: Option<u64>,
    /// The states of the last run's messages.
    pub(crate) last_states: BTreeMap<String, RunState>,
}

impl Record for Schedule {
    const TABLE: TableDefinition<'static, &'static str, &'static [u8]> =
        TableDefinition::new("schedules");
}

/// Returns the key of a schedule's body among the bodies.
pub(crate) fn body_key(id: &Name) -> String {
    format!("schedule:{id}")
}

/// Publishes the schedule due at `now_ms` and sets its next time. A schedule that was changed meanwhile is skipped.
pub(crate) fn fire(
    tx: &Transaction<'_>,
    id: &str,
    at_ms: u64,
    now: publish::Now,
) -> Result<Vec<Change>, store::Error> {
    let Some(mut schedule) = tx
        .get::<Schedule>(id)?
        .filter(|schedule| schedule.next_ms == Some(at_ms))
    else {
        return Ok(Vec::new());
    };
    let mut changes = Vec::new();
    if !schedule.paused {
        let draft = Draft {
            destination: schedule.destination.clone(),
            options: schedule.options.clone(),
            deduplication: Deduplication::Off,
            body: Bytes::from(tx.body(&body_key(&schedule.id))?.unwrap_or_default()),
            queue: schedule.options.queue.clone(),
            schedule_id: Some(schedule.id.clone()),
            caller_ip: schedule.caller_ip.clone(),
        };
        // A missing group or an exhausted quota leaves nothing to send; the schedule continues.
        let published = publish::publish(tx, &draft, now, &mut changes)?.unwrap_or_default();
        schedule.last_ms = Some(at_ms);
        schedule.last_states = published
            .into_iter()
            .map(|one| (one.message_id.to_string(), RunState::InProgress))
            .collect();
    }
    schedule.next_ms = schedule.cron.next(now.broker_ms);
    tx.put(id, &schedule)?;
    changes.push(Change::Schedule {
        id: schedule.id.clone(),
        next_ms: schedule.next_ms,
    });
    Ok(changes)
}

/// Records the result of a message of the last run.
pub(crate) fn settle(
    tx: &Transaction<'_>,
    id: &Name,
    message: &str,
    state: RunState,
) -> Result<(), store::Error> {
    let Some(mut schedule) = tx.get::<Schedule>(id.as_str())? else {
        return Ok(());
    };
    if let Some(known) = schedule.last_states.get_mut(message) {
        *known = state;
        tx.put(id.as_str(), &schedule)?;
    }
    Ok(())
}
