//! Schedules: a message that is published again and again.
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

/// How the messages of the last run fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum RunState {
    /// On its way.
    InProgress,
    /// Delivered.
    Success,
    /// Given up.
    Fail,
}

/// A message that is published again and again. Its body stands in the table of bodies, under [`body_key`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Schedule {
    /// Its id.
    pub(crate) id: Name,
    /// When.
    pub(crate) cron: CronExpression,
    /// Where to.
    pub(crate) destination: Destination,
    /// How.
    pub(crate) options: Options,
    /// The creator's address.
    pub(crate) caller_ip: String,
    /// When it was made, in wall-clock milliseconds.
    pub(crate) created_ms: u64,
    /// A paused schedule lets its times pass.
    pub(crate) paused: bool,
    /// The next time, in broker milliseconds.
    pub(crate) next_ms: Option<u64>,
    /// The last time, in broker milliseconds.
    pub(crate) last_ms: Option<u64>,
    /// How the messages of the last run fare.
    pub(crate) last_states: BTreeMap<String, RunState>,
}

impl Record for Schedule {
    const TABLE: TableDefinition<'static, &'static str, &'static [u8]> =
        TableDefinition::new("schedules");
}

/// Where a schedule's body stands among the bodies.
pub(crate) fn body_key(id: &Name) -> String {
    format!("schedule:{id}")
}

/// Publishes what is due at `now_ms` and sets the next time. A schedule that was changed meanwhile is left alone.
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
        // A group that is gone or a quota that is spent leaves nothing to send; the schedule goes on.
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

/// Notes how a message of the last run ended.
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
