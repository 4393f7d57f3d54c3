//! Rows that their writer publishes right after the commit, concurrently with sweeps.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use shared::base::clock::Clock;
use shared::base::secret::Secret;
use shared::protocol::qstash;
use shared::service::job::{JobType, Jobs, Publisher};
use shared::service::outbox::job_relay::JobRelay;
use shared::service::outbox::{Entry, Outbox};

use super::{ping, result, taken};
use crate::support::TestCloud;
use crate::support::cloud::TIMEOUT;
use crate::support::ledger::LedgerDatabase;
use crate::support::payloads::signature_request;

const ANN: &str = "ann@example.com";

/// Returns the relay of a function that writes to the outbox.
fn job_relay(cloud: &TestCloud, queue: &str) -> JobRelay {
    let token = Secret::new(cloud.variable("QSTASH_TOKEN").to_owned());
    let queue = qstash::Client::new(queue, &token, TIMEOUT).unwrap();
    JobRelay {
        jobs: Jobs::new(cloud.redis_client()),
        publisher: Publisher::new(queue, cloud.functions_url().parse().unwrap()),
    }
}

/// Writes mails to Ann in one transaction, commits it, and returns their jobs.
async fn written(database: &LedgerDatabase, entry: &Entry<'_>, count: usize) -> Vec<String> {
    let transaction = database.functions.transaction().await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..count {
        let written = Outbox::write(&transaction, entry, &signature_request(ANN)).await;
        ids.push(written.unwrap());
    }
    transaction.commit().await.unwrap();
    ids
}

#[tokio::test]
async fn row_published_by_its_writer_is_not_published_by_a_sweep() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    let outbox = Outbox::new(database.connect());
    let job_relay = job_relay(&cloud, &cloud.qstash().url());
    let ids = written(&database, &Entry::new(JobType::Email, "-"), 1).await;
    assert_eq!(job_relay.publish(&outbox, &ids).await, 1);
    cloud.wait_for(&ids[0], "completed").await;
    assert_eq!(result(&ping(&cloud, "msg_1").await)["done"], 0);
    assert_eq!(job_relay.publish(&outbox, &ids).await, 0, "nor its writer");
    assert_eq!(cloud.mails()[ANN], 1);
    assert_eq!(taken(&cloud).await[&ids[0]], 1);
}

#[tokio::test]
async fn row_contended_by_a_writer_and_two_sweeps_is_published_once() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    let outbox = Outbox::new(database.connect());
    let job_relay = job_relay(&cloud, &cloud.qstash().url());
    // The sweeps' instances are running before the race.
    tokio::join!(ping(&cloud, "msg_a"), ping(&cloud, "msg_b"));
    let mut all = Vec::new();
    for round in 0..12 {
        let entry = Entry {
            ordering_key: (round % 2 == 0).then_some("document-1"),
            not_before: Some(Clock::system().now() + SignedDuration::from_hours(48)),
            ..Entry::new(JobType::Email, "-")
        };
        let ids = written(&database, &entry, 4).await;
        let (first, second) = (format!("msg_{round}_1"), format!("msg_{round}_2"));
        let (published, one, two) = tokio::join!(
            job_relay.publish(&outbox, &ids),
            ping(&cloud, &first),
            ping(&cloud, &second)
        );
        let swept = [&one, &two].map(|swept| result(swept)["done"].as_u64().unwrap());
        // Rows of a key that another relay has partly claimed wait for the next sweep.
        let rest = result(&ping(&cloud, &format!("msg_{round}_3")).await)["done"].clone();
        let sum = published as u64 + swept[0] + swept[1] + rest.as_u64().unwrap();
        assert_eq!(
            sum, 4,
            "round {round}: {published} and {swept:?} and {rest}"
        );
        all.extend(ids);
    }
    let taken = taken(&cloud).await;
    for id in &all {
        assert_eq!(taken[id], 1, "{id}");
    }
}

#[tokio::test]
async fn row_that_its_writer_cannot_publish_is_left_to_the_sweep_at_once() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    let outbox = Outbox::new(database.connect());
    let ids = written(&database, &Entry::new(JobType::Email, "-"), 2).await;
    let nowhere = job_relay(&cloud, "http://127.0.0.1:9");
    let gone = tokio::time::timeout(Duration::from_mins(1), nowhere.publish(&outbox, &ids));
    assert_eq!(gone.await.unwrap(), 0);
    let rows = "select jsonb_agg(distinct jsonb_build_array(attempts, held_until <= now())) as value \
                from signtusk.outbox";
    assert_eq!(database.read(rows).await, json!([[0, true]]));
    assert_eq!(result(&ping(&cloud, "msg_1").await)["done"], 2);
    for id in &ids {
        cloud.wait_for(id, "completed").await;
    }
    assert_eq!(taken(&cloud).await.len(), 2);
}
