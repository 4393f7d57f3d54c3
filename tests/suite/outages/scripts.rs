//! Redis has lost its scripts: each is sent in full, and nothing else changes.

use std::time::Duration;

use local_redis_rest::Fault;
use serde_json::json;
use shared::service::realtime::{self, Channel};

use super::{ANN, assert_no_panic, assert_one_mail_each, eventually};
use crate::support::TestCloud;
use crate::support::payloads::{address, bulk, signature_request};

#[tokio::test]
async fn redis_with_an_empty_script_cache_gets_each_script_again() {
    let cloud = TestCloud::start().await;
    cloud.redis().faults().set(Some(Fault::NoScript));

    // create, claim, progress, commit, get
    let slow = local_mail::Fault::Slow(Duration::from_millis(600));
    cloud.mail().faults().set(Some(slow));
    let taken = cloud.post("/api/queue/emails/bulk", &bulk(3)).await;
    let id = taken.body["jobIds"][0].as_str().unwrap().to_owned();
    let mut job = cloud.job(&id).await;
    eventually("progress was reported while the job ran", async || {
        job = cloud.job(&id).await;
        job["progress"]["done"].is_u64()
    })
    .await;
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["attempts"], 1, "{job:#}");
    cloud.mail().faults().set(None);

    // list, cancel
    let page = cloud.get("/api/queue/jobs?status=completed").await.body;
    assert_eq!(page["items"][0]["jobId"], id.as_str(), "{page:#}");
    let mut later = signature_request("late@example.com");
    later["delaySeconds"] = json!(600);
    let late = cloud.enqueue(&later).await;
    let path = format!("/api/queue/jobs/{late}");
    let request = cloud.request(http::Method::DELETE, &path);
    let cancelled = crate::support::cloud::answer(request).await;
    assert_eq!(cancelled.body["status"], "cancelled", "{cancelled:?}");

    // fail: a payload that cannot be parsed, then redrive
    let unreadable = json!({ "type": "no such type", "jobId": "unreadable", "generation": 1 });
    let refused = cloud.deliver("send-email", &unreadable).await;
    assert_eq!(refused.status.as_u16(), 489, "{refused:?}");
    assert_eq!(cloud.job("unreadable").await["status"], "dead");
    let path = format!("/api/queue/jobs/{late}/retry");
    assert_eq!(cloud.post(&path, &json!({})).await.status, 202);
    cloud.wait_for(&late, "completed").await;

    let recipients: Vec<String> = (0..3).map(address).collect();
    let mut recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    recipients.push("late@example.com");
    assert_one_mail_each(&cloud, &recipients, "without scripts");
}

#[tokio::test]
async fn event_with_a_lost_answer_or_uncached_script_is_published_once() {
    let cloud = TestCloud::start().await;
    let redis = cloud.redis_client();
    let faults = [Fault::NoScript, Fault::CutAnswer, Fault::Refused];
    for fault in faults {
        cloud.redis().faults().set_for_next(1, fault);
        realtime::publish(&redis, Channel::Document(ANN), "signed", &json!({}))
            .await
            .unwrap();
    }
    cloud.replica_follows().await;
    let length =
        shared::protocol::upstash::Command::new("XLEN").arg("events:document:ann@example.com");
    assert_eq!(redis.run::<u64>(length).await.unwrap(), faults.len() as u64);
    assert_no_panic(&cloud, "events");
}
