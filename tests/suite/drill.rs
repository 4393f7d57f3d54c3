//! The restore drill of docs/RUNBOOK.md: Redis is wiped while mails are ordered and sent, and nothing that was
//! acknowledged is lost. What carries the work is the queue's message; the ledger in Postgres knows what has gone.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::TestCloud;
use crate::support::payloads::signature_request;
use crate::support::waiting::eventually;

/// Callers that order mails side by side.
const CALLERS: usize = 4;

/// Orders of each caller: every fourth is a bulk.
const ORDERS: usize = 40;

/// The recipients of a bulk.
const BULK: usize = 5;

/// How often Redis loses everything meanwhile.
const WIPES: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_wiped_under_load_loses_nothing_that_was_acknowledged() {
    let cloud = TestCloud::start().await;
    let (acknowledged, ()) = tokio::join!(order(&cloud), wipe(&cloud));
    let acknowledged: BTreeSet<String> = acknowledged;
    assert!(!acknowledged.is_empty());
    eventually("every acknowledged recipient has a mail", async || {
        let mails = cloud.mails();
        acknowledged.iter().all(|to| mails.contains_key(to))
    })
    .await;
    queue_is_empty(&cloud).await;
    for (to, count) in cloud.mails() {
        assert_eq!(count, 1, "{to} got {count} mails");
    }
}

#[tokio::test]
async fn a_delayed_mail_outlives_the_record_that_was_wiped() {
    let cloud = TestCloud::start().await;
    let mut later = signature_request("later@example.com");
    later["delaySeconds"] = json!(60);
    let id = cloud.enqueue(&later).await;
    flush(&cloud).await;
    assert_eq!(cloud.job(&id).await["status"], 404);
    let job = eventually_known(&cloud, &id).await;
    assert_eq!(job["status"], "completed", "{job:#}");
    assert_eq!(cloud.mails()["later@example.com"], 1);
}

/// Orders mails and gives the recipients of those that were acknowledged.
async fn order(cloud: &TestCloud) -> BTreeSet<String> {
    let callers = (0..CALLERS).map(async |caller| {
        let mut acknowledged = Vec::new();
        for number in 0..ORDERS {
            let (path, body, recipients) = an_order(caller, number);
            if cloud.post(path, &body).await.status == StatusCode::ACCEPTED {
                acknowledged.extend(recipients);
            }
        }
        acknowledged
    });
    join_all(callers).await.into_iter().flatten().collect()
}

fn an_order(caller: usize, number: usize) -> (&'static str, Value, Vec<String>) {
    let address = |place: usize| format!("drill-{caller}-{number}-{place}@example.com");
    if number % 4 != 3 {
        let body = signature_request(&address(0));
        return ("/api/queue/emails", body, vec![address(0)]);
    }
    let recipients: Vec<String> = (0..BULK).map(address).collect();
    let emails: Vec<Value> = recipients
        .iter()
        .map(|email| json!({ "name": "Signer", "email": email }))
        .collect();
    (
        "/api/queue/emails/bulk",
        json!({ "emails": emails }),
        recipients,
    )
}

/// Wipes Redis, its scripts included, every time that some mails more have gone.
async fn wipe(cloud: &TestCloud) {
    for time in 1..=WIPES {
        let sent = time * CALLERS * ORDERS / (WIPES + 2);
        eventually("the load goes on", async || cloud.mails().len() >= sent).await;
        flush(cloud).await;
    }
}

async fn flush(cloud: &TestCloud) {
    let client = redis::Client::open(format!("redis://{}", cloud.redis_server_addr())).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for command in [["FLUSHALL", "SYNC"], ["SCRIPT", "FLUSH"]] {
        redis::cmd(command[0])
            .arg(command[1])
            .exec_async(&mut connection)
            .await
            .unwrap();
    }
}

/// Waits until the queue has delivered every message that it took.
async fn queue_is_empty(cloud: &TestCloud) {
    let messages = async |state: &str| -> BTreeSet<String> {
        let events = cloud.queue_events(&format!("state={state}")).await;
        let ids = events.iter().map(|event| event["messageId"].to_string());
        ids.collect()
    };
    eventually("every message is delivered", async || {
        messages("CREATED").await == messages("DELIVERED").await
    })
    .await;
}

/// Waits until the job is known again and has ended.
async fn eventually_known(cloud: &TestCloud, id: &str) -> Value {
    let mut job = Value::Null;
    eventually("the job has ended", async || {
        job = cloud.job(id).await;
        job["status"] == "completed"
    })
    .await;
    job
}
