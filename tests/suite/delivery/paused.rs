//! The kill switch: paused jobs are neither enqueued nor run, and continue afterwards without loss.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use shared::service::job::{Claimed, Incoming, JobType, Jobs};

use super::message;
use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};
use crate::support::payloads::signature_request;
use crate::support::waiting::{eventually, statuses};

const PAUSES: &str = "/api/queue/pauses/email";

async fn pause(cloud: &TestCloud, body: Value) {
    let request = with_json(cloud.request(Method::PUT, PAUSES), &body);
    let paused = answer(request).await;
    assert_eq!(paused.status, StatusCode::OK, "{paused:?}");
    assert_eq!(paused.body, body);
}

#[tokio::test]
async fn paused_type_holds_its_deliveries_until_resumed() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request("ann@example.com")).await;
    pause(&cloud, json!({ "paused": true })).await;
    cloud.qstash().hold(false);

    let held = cloud.wait_for(&id, "deferred").await;
    assert_eq!(statuses(&held), ["queued", "processing", "deferred"]);
    assert!(held["error"].as_str().unwrap().contains("paused"));
    assert_eq!(held["attempts"], 0, "a deferral is not an attempt");
    assert!(cloud.mails().is_empty());
    let refused = cloud
        .post("/api/queue/emails", &signature_request("bob@example.com"))
        .await;
    refused.assert_problem(503, "jobs_paused", "while it is paused");
    assert!(refused.headers.contains_key("retry-after"));
    let stats = cloud.get("/api/queue/stats").await.body;
    assert_eq!(stats["email"]["paused"], true);
    assert_eq!(stats["email"]["total"], 1, "a rejected job is not recorded");

    pause(&cloud, json!({ "paused": false })).await;
    cloud.qstash().set_speed(6_000.0);
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["attempts"], 1, "{job:#}");
    assert_eq!(cloud.mails()["ann@example.com"], 1);
    cloud.enqueue(&signature_request("bob@example.com")).await;
}

#[tokio::test]
async fn paused_tenant_does_not_delay_another() {
    let cloud = TestCloud::start().await;
    pause(&cloud, json!({ "paused": true, "tenant": "slow.example" })).await;
    let enqueue = async |domain: &str| {
        let request = cloud.request(Method::POST, "/api/queue/emails");
        let request = request
            .header("x-user-id", "u-1")
            .header("x-user-domain", domain);
        answer(with_json(request, &signature_request("ann@example.com"))).await
    };
    let held = enqueue("slow.example").await;
    held.assert_problem(503, "jobs_paused", "the paused tenant");
    let taken = enqueue("fast.example").await;
    assert_eq!(taken.status, StatusCode::ACCEPTED);
    let stats = cloud.get("/api/queue/stats").await.body;
    assert_eq!(stats["email"]["pausedTenants"], 1);
    assert!(!stats.to_string().contains("slow.example"));
}

#[tokio::test]
async fn only_service_and_admin_may_pause() {
    let cloud = TestCloud::start().await;
    let body = json!({ "paused": true });
    for (role, status) in [("user", 403), ("domain_admin", 403), ("admin", 200)] {
        let request = cloud.request(Method::PUT, PAUSES);
        let request = request
            .header("x-user-id", "u-1")
            .header("x-user-role", role);
        let answer = answer(with_json(request, &body)).await;
        assert_eq!(answer.status, status, "{role}");
    }
    let other = with_json(cloud.request(Method::PUT, "/api/queue/pauses/fax"), &body);
    answer(other)
        .await
        .assert_problem(404, "job_type_unknown", "no such type");
    let empty = json!({ "paused": true, "tenant": "" });
    answer(with_json(cloud.request(Method::PUT, PAUSES), &empty))
        .await
        .assert_invalid("/tenant", "an empty tenant");
}

#[tokio::test]
async fn paused_job_waits_twice_as_long_each_time() {
    let cloud = TestCloud::start_with(|settings| settings.qstash_speed = 6_000.0).await;
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request("ann@example.com")).await;
    pause(&cloud, json!({ "paused": true })).await;
    cloud.qstash().hold(false);
    let mut waits = Vec::new();
    eventually("it was put off four times", async || {
        waits = waits_of(&cloud.job(&id).await);
        waits.len() >= 4
    })
    .await;
    assert_eq!(waits[..4], [5, 10, 20, 40], "minutes");
}

/// A job continued, and its next message arrived before the record was committed: that was not a deferral, and the
/// first deferral is short.
#[tokio::test]
async fn continuation_before_its_commit_does_not_lengthen_a_later_deferral() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request("ann@example.com")).await;
    let jobs = Jobs::new(cloud.redis_client());
    let first = Incoming {
        job_id: &id,
        job: JobType::Email,
        message_id: "msg_1",
        generation: 1,
        payload: "{}",
    };
    assert!(matches!(jobs.claim(first).await, Ok(Claimed::Run(_))));
    pause(&cloud, json!({ "paused": true })).await;
    let mut next = message(&id, 2, "ann@example.com");
    for (checkpoint, deferrals, minutes) in [(json!({ "cursor": 1 }), 0, 5), (Value::Null, 1, 10)] {
        next["continued"] = json!({ "checkpoint": checkpoint, "deferrals": deferrals });
        let put_off = cloud.deliver("send-email", &next).await;
        assert_eq!(put_off.status, StatusCode::OK, "{put_off:?}");
        assert_eq!(waits_of(&cloud.job(&id).await).last(), Some(&minutes));
        let generation = next["generation"].as_u64().unwrap();
        next["generation"] = json!(generation + 1);
    }
}

/// Returns the minutes of each deferral of a job.
fn waits_of(job: &Value) -> Vec<i64> {
    let minutes = |moment: &Value| {
        let note = moment["note"].as_str()?;
        let until: i64 = note.rsplit_once("until ")?.1.parse().ok()?;
        let at: jiff::Timestamp = moment["at"].as_str()?.parse().ok()?;
        Some((until - at.as_millisecond() + 30_000) / 60_000)
    };
    let timeline = job["timeline"].as_array().unwrap().iter();
    timeline.filter_map(minutes).collect()
}
