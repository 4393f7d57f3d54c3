//! The effect of SIGKILL: no mail is lost, and a mail that may have been sent twice is marked.
//!
//! A killed delivery leaves a lease of 35 seconds of Redis's own time. [`Stage`] ends it by hand, as if the time had
//! passed, so that a hundred seeds take seconds. One test shows in real time that the lease ends by itself and the job
//! continues ([`lease`]).

mod bulk;
mod lease;
mod reaper;
mod record;

use std::net::SocketAddr;
use std::time::Duration;

use local::cloud::{Database, Settings};
use serde_json::Value;
use shared::protocol::postgres::{Postgres, Type, column};

use crate::support::TestCloud;
use crate::support::cloud::{TIMEOUT, answer, fresh_database};
use crate::support::proxy::Proxy;
use crate::support::waiting::statuses;

/// A cloud whose functions reach Postgres through a proxy.
struct Stage {
    cloud: TestCloud,
    /// The proxy in front of Postgres.
    statements: Proxy,
    /// The database, without the proxy.
    database: Postgres,
}

/// One row of the ledger.
struct Row {
    recipient: String,
    state: String,
    in_doubt: bool,
}

impl Stage {
    async fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let made = fresh_database().await;
        let database = Postgres::at(&made.owner_url, None).unwrap();
        let statements = Proxy::start(address(&made.functions_url)).await;
        let led = statements.lead(&made.functions_url);
        let cloud = TestCloud::start_with(|settings| {
            settings.database = Database::Made(made);
            settings.overrides.insert("DATABASE_URL".to_owned(), led);
            change(settings);
        })
        .await;
        Self {
            cloud,
            statements,
            database,
        }
    }

    /// Enqueues a bulk and returns the ids of its jobs.
    async fn enqueue_bulk(&self, bulk: &Value) -> Vec<String> {
        let taken = self.cloud.post("/api/queue/emails/bulk", bulk).await;
        assert_eq!(taken.status, 202, "{taken:?}");
        let ids = taken.body["jobIds"].as_array().unwrap().iter();
        ids.map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    /// Waits until the queue has delivered a job and recorded it.
    async fn delivered(&self, job_id: &str) {
        let waiting = async {
            while self.events(job_id, "DELIVERED").await.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(TIMEOUT, waiting).await.is_err() {
            let job = self.cloud.job(job_id).await;
            panic!("not delivered: {job:#}");
        }
    }

    /// Returns the queue's events of a job's message.
    async fn events(&self, job_id: &str, state: &str) -> Vec<Value> {
        let qstash = self.cloud.qstash().url();
        let url = format!("{qstash}/v2/events?label={job_id}&state={state}");
        let http = shared::protocol::http::client(TIMEOUT).unwrap();
        let token = self.cloud.variable("QSTASH_TOKEN");
        let page = answer(http.get(url).bearer_auth(token)).await.body;
        page["events"].as_array().unwrap().clone()
    }

    /// Returns a job's rows in the ledger.
    async fn ledger(&self, job_id: &str) -> Vec<Row> {
        let sql = "select recipient, state, in_doubt from signtusk.email_ledger where job_id = $1";
        let rows = self.database.query(sql, &[(&job_id, Type::TEXT)]).await;
        rows.unwrap()
            .iter()
            .map(|row| Row {
                recipient: column(row, "recipient").unwrap(),
                state: column(row, "state").unwrap(),
                in_doubt: column(row, "in_doubt").unwrap(),
            })
            .collect()
    }
}

/// Ends a job's lease, as if its time had passed. It blocks, because it runs while a statement is delayed.
fn end_lease(redis: SocketAddr, job_id: &str) {
    let client = redis::Client::open(format!("redis://{redis}")).unwrap();
    let mut connection = client.get_connection().unwrap();
    let known: bool = redis::cmd("EXISTS")
        .arg(format!("job:{job_id}"))
        .query(&mut connection)
        .unwrap();
    assert!(known, "no record of job {job_id}");
    redis::cmd("HSET")
        .arg(format!("job:{job_id}"))
        .arg("leaseUntil")
        .arg(0)
        .exec(&mut connection)
        .unwrap();
}

/// Returns the address of the server at this URL.
fn address(url: &str) -> SocketAddr {
    let url = url::Url::parse(url).unwrap();
    url.socket_addrs(|| None).unwrap()[0]
}

/// Returns the number of mails in a job's result.
fn settled(job: &Value) -> u64 {
    let result = &job["result"];
    let rejected = result["rejected"].as_array().unwrap().len() as u64;
    result["sent"].as_u64().unwrap() + result["skipped"].as_u64().unwrap() + rejected
}

/// Returns how often an attempt ended by itself before the work was done: the rest was deferred or retried.
fn put_off(job: &Value) -> usize {
    let ended = |status: &&str| matches!(*status, "failed" | "deferred");
    statuses(job).iter().filter(|status| ended(status)).count()
}
