//! The budgets of mails: of a recipient per hour, over all senders, and of a tenant per day. Mails beyond them are
//! deferred and not lost.

mod counters;
mod jobs;

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use shared::service::mail::budget::{EmailBudget, Verdict};
use shared::service::mail::payload::EmailAddress;
use shared::service::rate_limit::Rate;

use crate::support::store::Store;

const DAY: Duration = Duration::from_hours(24);

/// A tenant without a budget.
const NO_TENANT: &str = "-";

/// Returns budgets of a day: a test ends before them.
fn budget(store: &Store, recipient: u64, tenant: u64) -> EmailBudget {
    let rate = |count| Rate { count, window: DAY };
    EmailBudget::new(store.client(), rate(recipient), rate(tenant))
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// Returns redis-server's current millisecond.
async fn now(redis: &mut MultiplexedConnection) -> u64 {
    let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(redis).await.unwrap();
    seconds * 1000 + micros / 1000
}

fn granted(verdicts: &[Verdict]) -> usize {
    let granted = |verdict: &&Verdict| **verdict == Verdict::Granted;
    verdicts.iter().filter(granted).count()
}
