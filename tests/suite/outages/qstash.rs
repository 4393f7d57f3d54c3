//! QStash fails at an enqueue: the caller gets an error. A job that QStash certainly lacks is cancelled, unless the
//! caller's key keeps it for the repeated call.

use http::Method;
use serde_json::Value;

use super::gate::{Verdict, http_answer};
use super::{
    assert_come_again, assert_one_mail_each, deliveries, eventually, gated, gated_with, warm,
};
use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer, with_json};
use crate::support::payloads::{address, bulk, signature_request};
use crate::support::proxy::carries;

/// Returns the faults, and why they differ.
fn faults() -> [(Verdict, &'static str); 5] {
    let error = r#"{"error":"no"}"#;
    [
        (Verdict::Cut, "it is down"),
        (
            http_answer("429 Too Many Requests", "retry-after: 7\r\n", error),
            "its limit is met",
        ),
        (
            http_answer("500 Internal Server Error", "", error),
            "it fails",
        ),
        (
            http_answer("401 Unauthorized", "", error),
            "it refuses the token",
        ),
        (
            Verdict::CutAnswer,
            "it took the message and its answer was lost",
        ),
    ]
}

async fn enqueue(cloud: &TestCloud, key: Option<&str>, payload: &Value) -> Answer {
    let mut request = cloud.request(Method::POST, "/api/queue/emails");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    answer(with_json(request, payload)).await
}

#[tokio::test]
async fn enqueue_without_qstash_is_503_and_cancelled_unless_its_answer_was_lost() {
    let (cloud, gates) = gated().await;
    warm(&cloud).await;
    cloud.qstash().hold(true);
    for (verdict, why) in faults() {
        gates.qstash.fail(verdict);
        let answer = enqueue(&cloud, None, &signature_request(&address(0))).await;
        assert_come_again(&answer, "unavailable", why);
        assert!(gates.qstash.has_failed(), "{why}");
        if why == "its limit is met" {
            assert_eq!(
                answer.headers["retry-after"], "7",
                "QStash's own wait is passed on"
            );
        }
    }
    gates.qstash.fail(Verdict::Silence);
    let answer = enqueue(&cloud, None, &signature_request(&address(0))).await;
    assert_come_again(&answer, "unavailable", "it does not answer");
    gates.qstash.open();

    let jobs = cloud.get("/api/queue/jobs").await.body;
    let jobs = jobs["items"].as_array().unwrap();
    assert_eq!(jobs.len(), faults().len() + 1);
    // Newest first. Jobs that may have been accepted continue; rejected ones do not.
    let statuses: Vec<&str> = jobs
        .iter()
        .map(|job| job["status"].as_str().unwrap())
        .collect();
    let expected = [
        ("queued", "no answer"),
        ("queued", "a lost answer"),
        ("cancelled", "401"),
        ("queued", "500"),
        ("cancelled", "429"),
        ("queued", "a connection that is cut"),
    ];
    assert_eq!(statuses, expected.map(|(status, _)| status), "{expected:?}");
    cloud.qstash().hold(false);
    eventually(
        "the message was delivered whose answer was lost",
        async || deliveries(&cloud, "DELIVERED").await.len() == 1,
    )
    .await;
    assert_one_mail_each(&cloud, &[&address(0)], "the one that was taken");
}

#[tokio::test]
async fn keyed_enqueue_can_be_repeated_until_accepted_and_creates_one_job() {
    let (cloud, gates) = gated().await;
    warm(&cloud).await;
    for (place, (verdict, why)) in faults().into_iter().enumerate() {
        let (key, payload) = (
            format!("request-{place}"),
            signature_request(&address(place)),
        );
        gates.qstash.fail(verdict);
        cloud.qstash().hold(true);
        for _ in 0..2 {
            let answer = enqueue(&cloud, Some(&key), &payload).await;
            assert_come_again(&answer, "unavailable", why);
        }
        gates.qstash.open();
        cloud.qstash().hold(false);
        let first = enqueue(&cloud, Some(&key), &payload).await;
        let again = enqueue(&cloud, Some(&key), &payload).await;
        assert_eq!(
            (first.status.as_u16(), again.status.as_u16()),
            (202, 202),
            "{why}"
        );
        assert_eq!(first.body["jobId"], again.body["jobId"], "{why}");
        let job = cloud
            .wait_for(first.body["jobId"].as_str().unwrap(), "completed")
            .await;
        assert_eq!(job["attempts"], 1, "{why}: {job:#}");
    }
    let stats = cloud.get("/api/queue/stats").await.body;
    assert_eq!(
        stats["email"]["total"],
        faults().len(),
        "one job for each request: {stats:#}"
    );
    let recipients: Vec<String> = (0..faults().len()).map(address).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    assert_one_mail_each(&cloud, &recipients, "repeated wishes");
}

#[tokio::test]
async fn lost_publish_answer_is_repeated_and_the_message_delivered_once() {
    // Deliveries are counted exactly.
    let (cloud, gates) = gated_with(|settings| settings.qstash_disorder = None).await;
    warm(&cloud).await;
    gates
        .qstash
        .fail_at("POST /v2/publish/", 1, Verdict::CutAnswer);
    let id = cloud.enqueue(&signature_request(&address(0))).await;
    assert!(gates.qstash.has_failed());
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["attempts"], 1, "{job:#}");
    assert_eq!(
        cloud.gateway().invocations("send-email"),
        2,
        "the warm-up and one delivery"
    );
    assert_one_mail_each(&cloud, &[&address(0)], "a lost answer");
}

#[tokio::test]
async fn bulk_refused_by_qstash_is_cancelled_entirely() {
    let (cloud, gates) = gated().await;
    cloud.qstash().hold(true);
    gates.qstash.fail(Verdict::Answer(
        "HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}".into(),
    ));
    let answer = cloud.post("/api/queue/emails/bulk", &bulk(250)).await;
    assert_come_again(&answer, "unavailable", "a bulk");
    gates.qstash.open();
    let jobs = cloud.get("/api/queue/jobs").await.body;
    let jobs = jobs["items"].as_array().unwrap();
    assert_eq!(jobs.len(), 3);
    assert!(
        jobs.iter().all(|job| job["status"] == "cancelled"),
        "{jobs:#?}"
    );
}

#[tokio::test]
async fn bulk_with_a_lost_answer_reaches_every_recipient_once() {
    let (cloud, gates) = gated().await;
    warm(&cloud).await;
    // One job has started when the enqueue fails: the others must not be affected.
    let slow = local_mail::Fault::Slow(std::time::Duration::from_millis(300));
    cloud.mail().faults().for_recipient(&address(0), Some(slow));
    gates.qstash.fail(Verdict::CutAnswer);
    let answer = cloud.post("/api/queue/emails/bulk", &bulk(250)).await;
    assert!(gates.qstash.has_failed());
    gates.qstash.open();
    let jobs = cloud.get("/api/queue/jobs").await.body;
    for job in jobs["items"].as_array().unwrap() {
        assert_ne!(job["status"], "cancelled", "{answer:?}: {job:#}");
        let id = job["jobId"].as_str().unwrap();
        cloud.wait_for(id, "completed").await;
    }
    let recipients: Vec<String> = (0..250).map(address).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    assert_one_mail_each(&cloud, &recipients, "a lost answer");
}

#[tokio::test]
async fn bulk_with_one_refused_job_sends_the_others_and_reports_it() {
    let (cloud, gates) = gated().await;
    warm(&cloud).await;
    let (poison, no) = (address(150), r#"{"error":"this one is malformed"}"#);
    gates.qstash.judge(move |bytes| {
        if carries(bytes, &format!("{poison}\\")) || carries(bytes, &format!("{poison}\"")) {
            http_answer("400 Bad Request", "", no)
        } else {
            Verdict::Pass
        }
    });
    let answer = cloud.post("/api/queue/emails/bulk", &bulk(250)).await;
    assert_eq!(answer.status, 202, "two of three are out: {answer:?}");
    let ids = answer.body["jobIds"].as_array().unwrap();
    for (place, status) in ["completed", "dead", "completed"].into_iter().enumerate() {
        let id = ids[place].as_str().unwrap();
        let job = cloud.wait_for(id, status).await;
        let names_cause = job["error"].to_string().contains("this one is malformed");
        assert_eq!(names_cause, status == "dead", "{job:#}");
    }
    assert_eq!(cloud.mails().len(), 150);

    gates.qstash.open();
    let path = format!("/api/queue/jobs/{}/retry", ids[1].as_str().unwrap());
    assert_eq!(cloud.post(&path, &Value::Null).await.status, 202);
    cloud.wait_for(ids[1].as_str().unwrap(), "completed").await;
    assert_eq!(cloud.mails().len(), 250);
}

#[tokio::test]
async fn enqueue_delivered_without_confirmation_is_answered_202() {
    let (cloud, gates) = gated().await;
    warm(&cloud).await;
    let slow = std::time::Duration::from_secs(3);
    cloud
        .mail()
        .faults()
        .set(Some(local_mail::Fault::Slow(slow)));
    // The first attempt is accepted and its response lost; the second gets no response. Meanwhile the job runs.
    let mut tries = 0;
    gates.qstash.judge(move |bytes| {
        tries += u32::from(carries(bytes, "POST /v2/publish/"));
        if tries == 1 {
            Verdict::CutAnswer
        } else {
            Verdict::Silence
        }
    });
    let answer = enqueue(&cloud, None, &signature_request(&address(0))).await;
    assert_eq!(answer.status, 202, "a delivery has claimed it: {answer:?}");
    cloud
        .wait_for(answer.body["jobId"].as_str().unwrap(), "completed")
        .await;
    assert_one_mail_each(&cloud, &[&address(0)], "taken and not confirmed");
}

#[tokio::test]
async fn redrive_without_qstash_is_answered_503_and_can_be_repeated() {
    let (cloud, gates) = gated().await;
    cloud.mail().faults().set(Some(local_mail::Fault::Rejected));
    let id = cloud.enqueue(&signature_request(&address(0))).await;
    cloud.wait_for(&id, "dead").await;
    cloud.mail().faults().set(None);
    let path = format!("/api/queue/jobs/{id}/retry");
    gates.qstash.fail(Verdict::Cut);
    let refused = cloud.post(&path, &Value::Null).await;
    assert_come_again(&refused, "unavailable", "a redrive");
    gates.qstash.open();
    assert_eq!(cloud.post(&path, &Value::Null).await.status, 202);
    // A mail that the provider rejected permanently stays rejected; the redrive itself happens once.
    eventually("the redriven job was delivered", async || {
        cloud.job(&id).await["attempts"] == 2
    })
    .await;
    cloud.wait_for(&id, "dead").await;
    assert_one_mail_each(&cloud, &[], "refused for good");
}

/// Returns a QStash response that means that the request, not the service, is at fault.
fn rejected() -> Verdict {
    http_answer("400 Bad Request", "", r#"{"error":"invalid message"}"#)
}

#[tokio::test]
async fn enqueue_beyond_the_quota_is_503_with_its_reason_and_raises_the_alarm() {
    let (cloud, gates) = gated().await;
    let day = "ratelimit-limit: 1000\r\nratelimit-reset: 3600\r\n";
    let quotas = [
        http_answer("412 Precondition Failed", "", r#"{"error":"quota"}"#),
        http_answer("429 Too Many Requests", day, r#"{"error":"daily limit"}"#),
    ];
    for (spent, quota) in quotas.into_iter().enumerate() {
        gates.qstash.fail(quota);
        let refused = enqueue(&cloud, None, &signature_request(&address(0))).await;
        assert_come_again(&refused, "queue_quota_used_up", "a spent quota");
        let logs = cloud.logs();
        let figures = logs
            .lines()
            .filter(|line| line.contains("\"QueueQuotaSpent\":1"));
        assert_eq!(figures.count(), spent + 1, "{logs}");
    }
    assert_one_mail_each(&cloud, &[], "all withdrawn");
}

#[tokio::test]
async fn enqueue_rejected_by_qstash_is_an_internal_error() {
    let (cloud, gates) = gated().await;
    gates.qstash.fail(rejected());
    let refused = enqueue(&cloud, None, &signature_request(&address(0))).await;
    refused.assert_problem(500, "internal", "a rejected message");
    assert!(
        cloud.logs().contains("QStash rejected the job"),
        "{}",
        cloud.logs()
    );
}

#[tokio::test]
async fn deferral_rejected_by_qstash_is_dead_with_its_reason() {
    let (cloud, gates) = gated().await;
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request(&address(0))).await;
    gates.qstash.fail(rejected());
    cloud
        .mail()
        .faults()
        .set(Some(local_mail::Fault::Throttled));
    let body = super::message(&id, &address(0));
    let never = cloud.deliver("send-email", &body).await;
    assert_eq!(never.status.as_u16(), 489, "{never:?}");
    let job = cloud.job(&id).await;
    assert_eq!(job["status"], "dead", "{job:#}");
    let error = job["error"].as_str().unwrap();
    assert!(error.contains("invalid message"), "{error}");
}

#[tokio::test]
async fn lost_job_rejected_by_qstash_is_dead_and_blocks_no_other() {
    let (cloud, gates) = gated().await;
    let mut ids = Vec::new();
    gates.qstash.fail(Verdict::Cut);
    for (key, to) in [
        ("poison", "poison@example.com"),
        ("good", "good@example.com"),
    ] {
        let refused = enqueue(&cloud, Some(key), &signature_request(to)).await;
        assert_eq!(refused.status, 503, "{refused:?}");
    }
    let page = cloud.get("/api/queue/jobs?status=queued").await.body;
    for item in page["items"].as_array().unwrap() {
        ids.push(item["jobId"].as_str().unwrap().to_owned());
    }
    for id in &ids {
        redis::cmd("ZINCRBY")
            .arg("jobs_open:email")
            .arg(-16 * 60_000)
            .arg(id)
            .exec_async(&mut cloud.redis_connection().await)
            .await
            .unwrap();
    }
    // QStash rejects the whole batch because of one message.
    gates.qstash.judge(|bytes| {
        if carries(bytes, "poison@example.com") {
            rejected()
        } else {
            Verdict::Pass
        }
    });
    let swept = cloud.deliver("relay-outbox", &serde_json::json!({})).await;
    assert_eq!(swept.status, 200, "{swept:?}");
    assert_eq!(swept.body["result"]["republished"], 1, "{swept:?}");
    let (poison, good) = (&ids[1], &ids[0]);
    let dead = cloud.wait_for(poison, "dead").await;
    assert!(
        dead["error"].as_str().unwrap().contains("invalid message"),
        "{dead:#}"
    );
    cloud.wait_for(good, "completed").await;
}
