//! What came of the load, once everything has had its time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::load::Ordered;
use crate::support::TestCloud;
use crate::support::ledger::LedgerDatabase;

/// How long everything that was acknowledged may take to arrive after the last fault.
const TIMEOUT: Duration = Duration::from_mins(10);

/// How long nothing more may come before what came is counted: half an hour of the queue's time.
const QUIET: Duration = Duration::from_secs(3);

/// What reached whom, how often.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) mails: BTreeMap<String, usize>,
    pub(super) notifications: BTreeMap<String, usize>,
    pub(super) events: BTreeMap<String, usize>,
    /// The recipients of whose mails the ledger says that they may have gone twice.
    pub(super) in_doubt: BTreeSet<String>,
    /// Dead jobs that were redriven, as a person on call would.
    pub(super) redriven: u64,
}

/// Waits until everything that was acknowledged has arrived and nothing more comes.
pub(super) async fn drained(cloud: &TestCloud, ordered: &Ordered) -> Settled {
    let database = LedgerDatabase::of(cloud);
    let until = Instant::now() + TIMEOUT;
    let mut settled = Settled::default();
    let mut sweep = 0;
    while Instant::now() < until {
        sweep += 1;
        // What the schedules do: the outbox, and messages that were given up without a word.
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

    /// What was acknowledged and has not arrived.
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

    /// Recipients of more than one mail.
    pub(super) fn doubles(&self) -> Vec<&String> {
        let twice = self.mails.iter().filter(|(_, count)| **count > 1);
        twice.map(|(to, _)| to).collect()
    }

    /// What arrived twice although nothing was in doubt.
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

/// How many rows there are of each value of a column.
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
