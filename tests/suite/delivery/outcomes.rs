//! The response to a delivery, and the record after it.

use http::HeaderMap;
use local_mail::{Code, Fault};
use serde_json::{Value, json};

use super::{message, statuses, wait_of};
use crate::support::TestCloud;
use crate::support::cloud::Answer;
use crate::support::payloads::signature_request;

const TO: &str = "ann@example.com";

/// An exhausted quota, for which a job is deferred by a quarter of an hour.
const QUOTA: Fault = Fault::Refused(Code::LimitExceeded);

/// Starts a cloud with held deliveries, and enqueues a job in it.
async fn held() -> (TestCloud, String) {
    let cloud = TestCloud::start_with(|settings| settings.qstash_speed = 600.0).await;
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request(TO)).await;
    (cloud, id)
}

async fn deliver(cloud: &TestCloud, id: &str) -> Answer {
    cloud.deliver("send-email", &message(id, 1, TO)).await
}

fn non_retryable(headers: &HeaderMap) -> Option<&str> {
    headers
        .get("upstash-nonretryable-error")
        .map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn temporary_failure_is_answered_503_with_retry_after_and_completes_later() {
    let (cloud, id) = held().await;
    cloud.mail().faults().set_for_next(1, Fault::ServerError);
    let failed = deliver(&cloud, &id).await;
    failed.assert_problem(503, "retry", "the provider fails");
    let wait = wait_of(&failed);
    assert!(
        (10..=13).contains(&wait),
        "the plan's first wait and its jitter: {wait}"
    );
    assert_eq!(non_retryable(&failed.headers), None);
    let job = cloud.job(&id).await;
    assert_eq!(job["status"], "failed", "{job:#}");
    assert!(
        job["error"].as_str().is_some_and(|error| !error.is_empty()),
        "{job:#}"
    );

    let done = deliver(&cloud, &id).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(
        (&done.body["success"], &done.body["jobId"]),
        (&json!(true), &json!(id))
    );
    assert_eq!(done.body["result"]["sent"], 1, "{done:?}");
    let job = cloud.job(&id).await;
    assert_eq!(job["status"], "completed", "{job:#}");
    assert_eq!(job["error"], Value::Null, "{job:#}");
    assert_eq!(job["result"], done.body["result"]);

    let repeated = deliver(&cloud, &id).await;
    assert_eq!(
        (repeated.status.as_u16(), &repeated.body["repeated"]),
        (200, &json!(true))
    );
    assert_eq!(cloud.job(&id).await, job, "a repetition changes nothing");
    assert_eq!(cloud.mails()[TO], 1);
}

#[tokio::test]
async fn permanent_failure_is_answered_489_and_becomes_a_dead_letter() {
    let (cloud, id) = held().await;
    cloud.mail().faults().set(Some(Fault::Rejected));
    let never = deliver(&cloud, &id).await;
    never.assert_problem(489, "non_retryable", "the provider refuses the mail");
    assert_eq!(non_retryable(&never.headers), Some("true"));
    let job = cloud.job(&id).await;
    assert_eq!(statuses(&job), ["queued", "processing", "dead"], "{job:#}");

    // The same through QStash: there is no retry, and the failure callback changes nothing.
    cloud.qstash().hold(false);
    let id = cloud.enqueue(&signature_request("bob@example.com")).await;
    let job = cloud.wait_for(&id, "dead").await;
    assert_eq!(job["attempts"], 1, "{job:#}");

    let unreadable = json!({ "type": "telegram", "jobId": id });
    let never = cloud.deliver("send-email", &unreadable).await;
    never.assert_problem(489, "non_retryable", "a payload that cannot be read");
    assert_eq!(non_retryable(&never.headers), Some("true"));
    assert!(cloud.mails().is_empty());
}

#[tokio::test]
async fn throttled_job_is_answered_200_and_published_again_for_later() {
    let (cloud, id) = held().await;
    cloud.mail().faults().set_for_next(1, QUOTA);
    let deferred = deliver(&cloud, &id).await;
    assert_eq!(deferred.status, 200, "{deferred:?}");
    let until = deferred.body["deferredUntil"].as_str().unwrap();
    let job = cloud.job(&id).await;
    assert_eq!(
        statuses(&job),
        ["queued", "processing", "deferred"],
        "{job:#}"
    );
    let note = job["timeline"][2]["note"].as_str().unwrap();
    let at: jiff::Timestamp = until.parse().unwrap();
    assert!(
        note.ends_with(&format!(", until {}", at.as_millisecond())),
        "{note}"
    );

    // The deferred message arrives again: there is a newer one.
    let older = deliver(&cloud, &id).await;
    assert_eq!(
        (older.status.as_u16(), &older.body["superseded"]),
        (200, &json!(true))
    );
    assert!(cloud.mails().is_empty());
    cloud.qstash().hold(false);
    cloud.wait_for(&id, "completed").await;
    assert_eq!(cloud.mails()[TO], 1);
}

#[tokio::test]
async fn job_may_be_deferred_more_often_than_retried() {
    let cloud = TestCloud::start_with(|settings| settings.qstash_speed = 6_000.0).await;
    cloud.mail().faults().set_for_next(9, QUOTA);
    let id = cloud.enqueue(&signature_request(TO)).await;
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["attempts"], 1, "a deferral is not an attempt: {job:#}");
    let deferred = statuses(&job)
        .iter()
        .filter(|status| **status == "deferred")
        .count();
    assert_eq!(deferred, 9, "no retry was spent: {job:#}");
    assert_eq!(cloud.mails()[TO], 1);
}
