//! Bulks that arrive in other ways than through the bulk routes: also split into jobs of a hundred.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{forget_deduplication, publish};
use crate::support::TestCloud;
use crate::support::ledger::LedgerDatabase;
use crate::support::payloads::bulk;

/// The timeout: hundreds of mails may take long on a busy machine.
const TIMEOUT: Duration = Duration::from_mins(3);

/// Returns a bulk in the form of the single routes and of a message.
fn mails(count: usize) -> Value {
    let mut mails = bulk(count);
    mails["type"] = json!("bulk");
    mails
}

fn notifications(count: usize) -> Value {
    let user = |number: usize| uuid::Uuid::from_u128(7000 + number as u128);
    let items: Vec<Value> = (0..count)
        .map(|n| json!({ "userId": user(n), "title": format!("No. {n}"), "message": "M" }))
        .collect();
    json!({ "type": "bulk_notification", "notifications": items })
}

/// Returns the jobs of a batch after all have ended.
async fn ended(cloud: &TestCloud, batch: &str) -> Value {
    let path = format!("/api/queue/batches/{batch}");
    let until = Instant::now() + TIMEOUT;
    loop {
        let whole = cloud.get(&path).await.body;
        if whole["finished"] == true {
            return whole;
        }
        assert!(Instant::now() < until, "not finished: {whole:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn bulk_on_a_route_for_single_jobs_becomes_a_job_per_hundred() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    for (path, body) in [
        ("/api/queue/emails", mails(210)),
        ("/api/queue/notifications", notifications(210)),
    ] {
        let taken = cloud.post(path, &body).await;
        assert_eq!(taken.status, 202, "{taken:?}");
        let ids = taken.body["jobIds"].as_array().unwrap();
        assert_eq!(ids.len(), 3, "{taken:?}");
        assert_eq!(taken.body["jobId"], ids[0], "{taken:?}");
        let batch = ended(&cloud, taken.body["batchId"].as_str().unwrap()).await;
        assert_eq!(batch["statuses"], json!({ "completed": 3 }), "{batch}");
    }
    let one = cloud.post("/api/queue/emails", &mails(100)).await;
    assert_eq!(one.body.get("jobIds"), None, "one job does it: {one:?}");
    let mails = cloud.mails();
    assert_eq!(mails.len(), 210);
    let rows = "select to_jsonb(count(*)) as value from public.notifications";
    assert_eq!(database.read(rows).await, 210);
}

#[tokio::test]
async fn bulk_in_a_message_of_another_client_is_split_and_each_recipient_gets_one() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    for (handler, body) in [
        ("send-email", mails(210)),
        ("send-notification", notifications(210)),
    ] {
        let id = publish(&cloud, handler, &body.to_string()).await;
        let job = cloud.wait_for(&id, "completed").await;
        assert_eq!(job["result"], json!({ "jobs": 3, "batchId": id }), "{job}");
        let batch = ended(&cloud, &id).await;
        assert_eq!(batch["statuses"], json!({ "completed": 3 }), "{batch}");
        // The message arrives again, and Redis has lost the completed record.
        let mut redis = cloud.redis_connection().await;
        let () = redis::cmd("FLUSHALL")
            .query_async(&mut redis)
            .await
            .unwrap();
        forget_deduplication(&cloud).await;
        let again = cloud.deliver_as(&id, handler, &body).await;
        assert_eq!(again.status, 200, "{again:?}");
        ended(&cloud, &id).await;
    }
    let mails = cloud.mails();
    assert_eq!(mails.len(), 210);
    assert!(mails.values().all(|count| *count == 1), "{mails:?}");
    let rows = "select to_jsonb(count(*)) as value from public.notifications";
    assert_eq!(database.read(rows).await, 210);
}

#[tokio::test]
async fn largest_bulk_in_one_message_is_split_within_one_attempt() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let mut body = mails(10_000);
    body["jobId"] = json!("largest");
    let split = cloud.deliver("send-email", &body).await;
    assert_eq!(
        split.body["result"],
        json!({ "jobs": 100, "batchId": "largest" }),
        "{split:?}"
    );
}

#[tokio::test]
async fn address_repeated_in_a_bulk_gets_one_mail() {
    let cloud = TestCloud::start().await;
    let mut body = bulk(105);
    let again = json!({ "name": "Signer 0, again", "email": "SIGNER-0@example.com" });
    body["emails"].as_array_mut().unwrap().push(again);
    let taken = cloud.post("/api/queue/emails/bulk", &body).await;
    ended(&cloud, taken.body["batchId"].as_str().unwrap()).await;
    let mails = cloud.mails();
    assert_eq!(mails.len(), 105, "{mails:?}");
    assert!(mails.values().all(|count| *count == 1), "{mails:?}");
}
