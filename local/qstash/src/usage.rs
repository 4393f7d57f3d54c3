//! The day's quota: each delivery attempt is one message, and the day starts at midnight UTC.
//!
//! A message counts once when it is accepted and once for each retry. When the quota is exhausted, new messages are
//! rejected; accepted ones are still delivered and retried. Days follow the server's time.

use serde::{Deserialize, Serialize};

use crate::publish::Now;
use crate::store::{self, Transaction};

/// The key of the count among the settings.
const SETTING: &str = "day_usage";

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The quota of the day is exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the daily limit of {limit} messages is met: try again after the reset")]
pub(crate) struct Spent {
    /// Messages per day.
    pub(crate) limit: u64,
    /// The remaining messages, which are too few.
    pub(crate) remaining: u64,
    /// When the next day starts, in Unix seconds of the server's time.
    pub(crate) reset: u64,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct DayUsage {
    day: u64,
    count: u64,
}

/// Checks that `messages` more may be accepted today.
pub(crate) fn check(
    tx: &Transaction<'_>,
    now: Now,
    messages: usize,
) -> Result<Result<(), Spent>, store::Error> {
    let Some(limit) = tx.limits().messages_a_day else {
        return Ok(Ok(()));
    };
    let used = today(tx, now)?;
    let remaining = limit.saturating_sub(used.count);
    if u64::try_from(messages).unwrap_or(u64::MAX) <= remaining {
        return Ok(Ok(()));
    }
    Ok(Err(Spent {
        limit,
        remaining,
        reset: (used.day + 1) * (DAY_MS / 1_000),
    }))
}

/// Counts one attempt.
pub(crate) fn count(tx: &Transaction<'_>, now: Now) -> Result<(), store::Error> {
    if tx.limits().messages_a_day.is_none() {
        return Ok(());
    }
    let mut used = today(tx, now)?;
    used.count += 1;
    tx.put_setting(SETTING, &used)
}

fn today(tx: &Transaction<'_>, now: Now) -> Result<DayUsage, store::Error> {
    let day = now.broker_ms / DAY_MS;
    let known = tx.setting::<DayUsage>(SETTING)?;
    Ok(known
        .filter(|used| used.day == day)
        .unwrap_or(DayUsage { day, count: 0 }))
}
