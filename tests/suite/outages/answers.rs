//! The reply of a script is lost after it ran: the repetition finds its own nonce and changes nothing more.

use serde_json::{Value, json};

use super::gate::Verdict;
use super::{
    ANN, Gates, WARM_UP, assert_come_again, assert_one_mail_each, eventually, gated, load_scripts,
    statuses,
};
use crate::support::TestCloud;
use crate::support::payloads::{address, bulk, signature_request};

/// Text that only the named script's call contains. Commands are JSON arrays, so a key is in quotes.
const CREATE: &str = "\"idempotency:";
const CLAIM: &str = "\"job_message:msg";
const COMMIT: &str = "\"completed\"";
const PROGRESS: &str = ",\"1\",\"job:";
const GET: &str = ",\"2\",\"job:";
const LIST: &str = "\"jobs:email\"";
const STEER: &str = "\"jobs_open:\"";

async fn delete(cloud: &TestCloud, id: &str) -> crate::support::cloud::Answer {
    let path = format!("/api/queue/jobs/{id}");
    crate::support::cloud::answer(cloud.request(http::Method::DELETE, &path)).await
}

/// Returns the API's statistics of the jobs.
async fn counted(cloud: &TestCloud) -> Value {
    cloud.get("/api/queue/stats").await.body["email"].clone()
}

/// Asserts that these recipients, and those of `load_scripts`, got one mail each.
#[track_caller]
fn assert_no_doubles(cloud: &TestCloud, recipients: &[&str], why: &str) {
    let all = [recipients, &WARM_UP].concat();
    assert_one_mail_each(cloud, &all, why);
}

#[tokio::test]
async fn lost_answer_to_any_delivery_script_makes_one_job_one_attempt_and_one_mail() {
    let (cloud, gates) = gated().await;
    load_scripts(&cloud).await;
    let scripts = [(CREATE, "create"), (CLAIM, "claim"), (COMMIT, "commit")];
    let before = counted(&cloud).await["total"].as_u64().unwrap();
    let mut recipients = Vec::new();
    for (place, (carried, script)) in (before + 1..).zip(scripts) {
        let to = format!("{script}@example.com");
        let cut = cut_once(&gates, carried);
        let id = cloud.enqueue(&signature_request(&to)).await;
        let job = cloud.wait_for(&id, "completed").await;
        assert!(cut(), "the answer to {script} was never lost");
        assert_eq!(job["attempts"], 1, "{script}: {job:#}");
        assert_eq!(
            statuses(&job),
            ["queued", "processing", "completed"],
            "{script}"
        );
        let counted = counted(&cloud).await;
        let [total, completed, pending] = ["total", "completed", "pending"].map(|it| &counted[it]);
        assert_eq!(
            (total, completed),
            (&json!(place), &json!(place)),
            "{script}: {counted}"
        );
        assert_eq!(pending, 0, "{script}: {counted}");
        recipients.push(to);
    }
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    assert_no_doubles(&cloud, &recipients, "lost answers");
}

#[tokio::test]
async fn lost_answer_to_cancel_is_not_a_refusal_and_to_redrive_publishes_once() {
    let (cloud, gates) = gated().await;
    load_scripts(&cloud).await;
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request(ANN)).await;

    let cut = cut_once(&gates, STEER);
    let answer = delete(&cloud, &id).await;
    assert!(cut(), "the answer to cancel was never lost");
    assert_eq!(
        answer.status, 200,
        "cancelled by the first call: {answer:?}"
    );
    assert_eq!(statuses(&answer.body), ["queued", "cancelled"]);

    let cut = cut_once(&gates, STEER);
    let path = format!("/api/queue/jobs/{id}/retry");
    let answer = cloud.post(&path, &json!({})).await;
    assert!(cut(), "the answer to redrive was never lost");
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(statuses(&answer.body), ["queued", "cancelled", "queued"]);

    cloud.qstash().hold(false);
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["attempts"], 1, "{job:#}");
    assert_no_doubles(&cloud, &[ANN], "cancelled and redriven");
}

#[tokio::test]
async fn lost_answer_to_a_read_or_progress_is_repeated() {
    let (cloud, gates) = gated().await;
    load_scripts(&cloud).await;
    cloud.mail().faults().set(Some(local_mail::Fault::Slow(
        std::time::Duration::from_millis(600),
    )));
    let cut = cut_once(&gates, PROGRESS);
    let taken = cloud.post("/api/queue/emails/bulk", &bulk(3)).await;
    let id = taken.body["jobIds"][0].as_str().unwrap().to_owned();
    eventually("progress was reported", async || cut()).await;
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["attempts"], 1, "{job:#}");
    for (carried, path) in [
        (GET, format!("/api/queue/jobs/{id}")),
        (LIST, "/api/queue/jobs".to_owned()),
    ] {
        let cut = cut_once(&gates, carried);
        let answer = cloud.get(&path).await;
        assert!(cut(), "no answer to {path} was lost");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    let recipients: Vec<String> = (0..3).map(address).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    assert_no_doubles(&cloud, &recipients, "lost answers");
}

#[tokio::test]
async fn enqueue_that_loses_every_answer_is_cancelled_and_never_sent() {
    let (cloud, gates) = gated().await;
    load_scripts(&cloud).await;
    gates.redis.fail_at(CREATE, 3, Verdict::CutAnswer);
    let answer = cloud
        .post("/api/queue/emails", &signature_request(ANN))
        .await;
    assert_come_again(
        &answer,
        "unavailable",
        "create ran and its response was lost",
    );
    assert!(gates.redis.has_failed(), "no answer to create was lost");
    gates.redis.open();

    let newest = cloud.get("/api/queue/jobs?limit=1").await.body["items"][0].clone();
    assert_eq!(
        newest["status"], "cancelled",
        "no ghost for a sweep to publish: {newest:#}"
    );
    assert_eq!(counted(&cloud).await["pending"], 0);
    assert_no_doubles(&cloud, &[], "an enqueue without an answer");
}

#[tokio::test]
async fn keyed_enqueue_that_loses_every_answer_is_completed_by_the_next_one() {
    let (cloud, gates) = gated().await;
    load_scripts(&cloud).await;
    let before = counted(&cloud).await["total"].as_u64().unwrap();
    gates.redis.fail_at(CREATE, 3, Verdict::CutAnswer);
    let ask = || {
        let request = cloud.request(http::Method::POST, "/api/queue/emails");
        let request = request.header("idempotency-key", "request-1");
        crate::support::cloud::answer(crate::support::cloud::with_json(
            request,
            &signature_request(ANN),
        ))
    };
    assert_come_again(
        &ask().await,
        "unavailable",
        "create ran and its response was lost",
    );
    let again = ask().await;
    assert_eq!(again.status, 202, "{again:?}");
    let id = again.body["jobId"].as_str().unwrap();
    cloud.wait_for(id, "completed").await;
    assert_eq!(
        counted(&cloud).await["total"],
        before + 1,
        "one request, one job"
    );
    assert_no_doubles(&cloud, &[ANN], "the same request twice");
}

/// Loses the reply to the next call that contains `text`; returns whether that has happened.
fn cut_once(gates: &Gates, text: &str) -> impl Fn() -> bool + use<> {
    gates.redis.fail_at(text, 1, Verdict::CutAnswer);
    let gate = gates.redis.clone();
    move || gate.has_failed()
}
