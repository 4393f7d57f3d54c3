//! Records without a claim.

use local::process::port::{free, loopback};
use serde_json::{Value, json};

use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};
use crate::support::payloads::signature_request;
use crate::support::proxy::{Proxy, carries};

/// Runs a sweep, and returns the number of republished jobs.
async fn republished(cloud: &TestCloud, message: &str) -> Value {
    let swept = cloud.deliver_as(message, "relay-outbox", &json!({})).await;
    assert_eq!(swept.status, 200, "{swept:?}");
    swept.body["result"]["republished"].clone()
}

/// Moves the due time of a job some minutes into the past.
async fn age(cloud: &TestCloud, id: &str, minutes: i64) {
    redis::cmd("ZINCRBY")
        .arg("jobs_open:email")
        .arg(-minutes * 60_000)
        .arg(id)
        .exec_async(&mut cloud.redis_connection().await)
        .await
        .unwrap();
}

#[tokio::test]
async fn job_whose_message_was_never_published_is_republished_and_completes() {
    let port = free().unwrap();
    let way = Proxy::start(loopback(port)).await;
    let led = format!("http://{}", way.address);
    let cloud = TestCloud::start_with(|settings| {
        settings.ports.qstash = port;
        settings.overrides.insert("QSTASH_URL".to_owned(), led);
    })
    .await;
    way.guard(|bytes| !carries(bytes, "POST /v2/publish"));
    let request = cloud
        .request(http::Method::POST, "/api/queue/emails")
        .header("idempotency-key", "once");
    let refused = answer(with_json(request, &signature_request("ann@example.com"))).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    way.open();
    let page = cloud.get("/api/queue/jobs?status=queued").await.body;
    let id = page["items"][0]["jobId"].as_str().unwrap().to_owned();

    assert_eq!(
        republished(&cloud, "msg_1").await,
        0,
        "it has only just been recorded"
    );
    age(&cloud, &id, 16).await;
    assert_eq!(republished(&cloud, "msg_2").await, 1);
    let job = cloud.wait_for(&id, "completed").await;
    let timeline = job["timeline"].to_string();
    assert!(timeline.contains("published again"), "{job:#}");
    assert_eq!(cloud.mails()["ann@example.com"], 1);
    assert_eq!(republished(&cloud, "msg_3").await, 0);
}

#[tokio::test]
async fn waiting_jobs_are_not_republished_repeatedly() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let waiting = cloud.enqueue(&signature_request("ann@example.com")).await;
    let mut later = signature_request("bob@example.com");
    later["delaySeconds"] = json!(86_400);
    let later = cloud.enqueue(&later).await;
    let running = cloud.enqueue(&signature_request("cem@example.com")).await;
    redis::cmd("HSET")
        .arg(format!("job:{running}"))
        .arg("status")
        .arg("processing")
        .exec_async(&mut cloud.redis_connection().await)
        .await
        .unwrap();
    for (minutes, count, why) in [
        (16, 1, "the first time"),
        (30, 0, "46 minutes: not yet again"),
        (20, 1, "66 minutes: the second time"),
        (120, 0, "three hours"),
    ] {
        for id in [&waiting, &running] {
            age(&cloud, id, minutes).await;
        }
        age(&cloud, &later, 16).await;
        let message = format!("msg_{minutes}_{count}");
        assert_eq!(republished(&cloud, &message).await, count, "{why}");
    }
}

#[tokio::test]
async fn paused_job_is_not_republished() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request("ann@example.com")).await;
    age(&cloud, &id, 60).await;
    for (paused, count) in [(true, 0), (false, 1)] {
        let request = cloud.request(http::Method::PUT, "/api/queue/pauses/email");
        answer(with_json(request, &json!({ "paused": paused }))).await;
        let message = format!("msg_{paused}");
        assert_eq!(
            republished(&cloud, &message).await,
            count,
            "paused: {paused}"
        );
    }
}
