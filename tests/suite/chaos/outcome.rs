//! The effects of the load after everything has been delivered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::load::Ordered;
use crate::support::TestCloud;
use crate::support::ledger::LedgerDatabase;

/// The timeout for everything acknowledged to arrive after the last fault.
const TIMEOUT: Duration = Duration::from_mins(10);

/// The time without new arrivals before counting: half an hour of the queue's time.
const QUIET: Duration = Duration::from_secs(3);

/// The number of arrivals, by recipient or, for audit events, by resource.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) mails: BTreeMap<String, usize>,
    pub(super) notifications: BTreeMap<String, usize>,
    pub(super) events: BTreeMap<String, usize>,
    /// The recipients of mails that are in doubt in the ledger.
    pub(super) in_doubt: BTreeSet<String>,
    /// Dead jobs that were redriven, as the person on call would do.
    pub(super) redriven: u64,
}

/// Waits until everything acknowledged has arrived and nothing more arrives.
pub(super) async fn drained(cloud: &TestCloud, ordered: &Ordered) -> Settled {
    let database = LedgerDatabase::of(cloud);
    let until = Instant::now() + TIMEOUT;
    let mut settled = Settled::default();
    let mut sweep = 0;
    while Instant::now() < until {
        sweep += 1;
        // The work of the schedules: the outbox, and failed messages without a callback.
        for task in ["outbox", "dead-letters"] {
            let message = format!("msg_{task}_{sweep}");
            let body = json!({ "task": task });
            cloud.deliver_as(&message, "relay-outbox", &body).await;
        }
        let redriven = cloud.post("/api/queue/jobs/retry", &json!({})).await;
        settled.redriven += redriven.body["done"].as_u64().unwrap_or_default();
        settled.count(cloud, &database).await;
        let left = settled.lost(ordered).len();
        if left == 0 {
            break;
        }
        println!("{left} have not arrived");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let mut before = settled.total();
    loop {
        tokio::time::sleep(QUIET).await;
        settled.count(cloud, &database).await;
        if settled.total() == before || Instant::now() > until {
            return settled;
        }
        before = settled.total();
    }
}

impl Settled {
    async fn count(&mut self, cloud: &TestCloud, database: &LedgerDatabase) {
        self.mails = cloud.mails();
        self.notifications = counts(database, "user_id", "public.notifications").await;
        self.events = counts(database, "resource_id", "public.audit_logs").await;
        let doubtful = "select coalesce(jsonb_agg(recipient), '[]') as value \
                        from signtusk.email_ledger where in_doubt";
        let doubtful = database.read(doubtful).await;
        let recipients = doubtful.as_array().unwrap().iter();
        self.in_doubt = recipients.map(|it| it.as_str().unwrap().into()).collect();
    }

    fn total(&self) -> usize {
        let counts = [&self.mails, &self.notifications, &self.events];
        counts.into_iter().flat_map(BTreeMap::values).sum()
    }

    /// Returns the acknowledged items that have not arrived.
    pub(super) fn lost<'a>(&self, ordered: &'a Ordered) -> Vec<&'a String> {
        let missing = |wanted: &'a BTreeSet<String>, there: &BTreeMap<String, usize>| {
            wanted
                .iter()
                .filter(|it| !there.contains_key(*it))
                .collect::<Vec<_>>()
        };
        let mut lost = missing(&ordered.mails, &self.mails);
        lost.extend(missing(&ordered.notifications, &self.notifications));
        lost.extend(missing(&ordered.events, &self.events));
        lost
    }

    /// Returns the recipients of more than one mail.
    pub(super) fn doubles(&self) -> Vec<&String> {
        let twice = self.mails.iter().filter(|(_, count)| **count > 1);
        twice.map(|(to, _)| to).collect()
    }

    /// Returns the items that arrived twice although nothing was in doubt.
    pub(super) fn wrong(&self) -> Vec<&String> {
        let mut wrong = self.doubles();
        wrong.retain(|to| !self.in_doubt.contains(*to));
        for once in [&self.notifications, &self.events] {
            let twice = once.iter().filter(|(_, count)| **count > 1);
            wrong.extend(twice.map(|(what, _)| what));
        }
        wrong
    }

    pub(super) fn check(&self, ordered: &Ordered, figures: &str) {
        let (lost, wrong) = (self.lost(ordered), self.wrong());
        assert!(ordered.acknowledged > 0, "{figures}");
        assert!(
            lost.is_empty(),
            "acknowledged and lost: {lost:?}\n{figures}"
        );
        assert!(
            wrong.is_empty(),
            "twice without doubt: {wrong:?}\n{figures}"
        );
    }
}

/// Returns the number of rows for each value of a column.
async fn counts(database: &LedgerDatabase, column: &str, table: &str) -> BTreeMap<String, usize> {
    let sql = format!(
        "select coalesce(jsonb_object_agg(what, rows), '{{}}') as value from ( \
         select {column} as what, count(*) as rows from {table} where {column} is not null group by 1) as counted"
    );
    let counted: Value = database.read(&sql).await;
    let counted = counted.as_object().unwrap().iter();
    counted
        .map(|(what, rows)| (what.clone(), rows.as_u64().unwrap().try_into().unwrap()))
        .collect()
}
