//! Signed deliveries with bad payloads: 489, which ends their retries, and a record with the reason.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::{assert_nobody_panicked, payload};
use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer};
use crate::support::payloads::signature_request;

/// Delivers signed bytes with a message id, unless that is empty.
async fn deliver(cloud: &TestCloud, handler: &str, message: &str, body: Vec<u8>) -> Answer {
    let path = format!("/api/jobs/{handler}");
    let token = cloud.signer().sign(&cloud.url(&path), &body);
    let mut request = cloud
        .bare(Method::POST, &path)
        .header("content-type", "application/json")
        .header("upstash-signature", token)
        .body(body);
    if !message.is_empty() {
        request = request.header("upstash-message-id", message);
    }
    answer(request).await
}

#[track_caller]
fn assert_never(refused: &Answer, why: &str) {
    refused.assert_problem(489, "non_retryable", why);
    assert_eq!(
        refused.headers["upstash-nonretryable-error"], "true",
        "{why}"
    );
}

/// Returns bodies that are not a payload of any job.
fn unreadable() -> Vec<Vec<u8>> {
    let texts = [
        "",
        " ",
        "hello",
        "{",
        "null",
        "true",
        "7",
        "\"text\"",
        "[]",
        "[{}]",
        "{}",
        "{\"jobId\":1}",
        "{} {}",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.into_iter().map(Into::into).collect();
    bodies.push(b"{\"type\":\"\xff\"}".to_vec());
    bodies.push(vec![b'['; 100_000]);
    bodies.push(vec![0; 1000]);
    bodies
}

#[tokio::test]
async fn unreadable_mail_is_rejected_at_once_and_its_record_says_why() {
    let cloud = TestCloud::start().await;
    let faulty = payload::single().into_iter().chain(payload::many());
    let bodies = faulty.map(|faulty| (faulty.payload.to_string().into_bytes(), faulty.why));
    let unreadable = unreadable().into_iter().map(|body| {
        let why = format!("{:.40}", String::from_utf8_lossy(&body));
        (body, why)
    });
    for (number, (body, why)) in bodies.chain(unreadable).enumerate() {
        let id = format!("msg-{number}");
        assert_never(&deliver(&cloud, "send-email", &id, body).await, &why);
        let job = cloud.job(&id).await;
        assert_eq!(job["status"], "dead", "{why}: {job:#}");
        assert!(job["error"].is_string(), "{why}: {job:#}");
    }
    assert!(cloud.mails().is_empty());
    assert_nobody_panicked(&cloud);
}

#[tokio::test]
async fn unreadable_failure_callback_is_rejected_at_once() {
    let cloud = TestCloud::start().await;
    let valid = callback("msg-1", &json!({}));
    let mut bodies = unreadable();
    for (member, value) in [
        ("sourceMessageId", json!(null)),
        ("sourceMessageId", json!(7)),
        ("url", json!(null)),
        ("url", json!("")),
        ("url", json!("/api/jobs/send-email")),
        ("url", json!("mailto:ann@example.com")),
        ("url", json!("https://functions.example.com")),
        (
            "url",
            json!("https://functions.example.com/api/jobs/nothing"),
        ),
        (
            "url",
            json!("https://functions.example.com/api/jobs/send-email/"),
        ),
        ("status", json!(-1)),
        ("status", json!(70_000)),
        ("status", json!("500")),
        ("retried", json!(-1)),
        ("retried", json!(1.5)),
        ("retried", json!(4_294_967_296_u64)),
        ("body", json!(7)),
        ("sourceBody", json!({})),
    ] {
        let mut callback = valid.clone();
        callback[member] = value;
        bodies.push(callback.to_string().into_bytes());
    }
    for body in bodies {
        let why = format!("{:.200}", String::from_utf8_lossy(&body));
        assert_never(
            &deliver(&cloud, "job-failed", "msg-callback", body).await,
            &why,
        );
    }
    let jobs = cloud.get("/api/queue/jobs").await;
    assert_eq!(jobs.body["items"], json!([]), "no record comes of it");
    assert_nobody_panicked(&cloud);
}

/// Returns a failure callback for a message, with unusual members.
fn callback(message: &str, members: &Value) -> Value {
    let mut callback = json!({
        "sourceMessageId": message,
        "url": "https://functions.example.com/api/jobs/send-email",
        "sourceBody": STANDARD.encode(signature_request("ann@example.com").to_string()),
        "status": 500,
        "body": STANDARD.encode(r#"{"detail":"the provider is down"}"#),
        "retried": 5,
    });
    for (name, value) in members.as_object().unwrap() {
        callback[name] = value.clone();
    }
    callback
}

#[tokio::test]
async fn odd_failure_callback_creates_a_readable_dead_job() {
    let cloud = TestCloud::start().await;
    let table = [
        json!({ "retried": u32::MAX }),
        json!({ "status": 0 }),
        json!({ "status": 65_535 }),
        json!({ "body": "not base64!" }),
        json!({ "body": STANDARD.encode([0xff; 900]) }),
        json!({ "body": STANDARD.encode("é".repeat(900)) }),
        json!({ "body": STANDARD.encode("x漢".repeat(900)) }),
        json!({ "body": STANDARD.encode("\u{1f600}\n\t\0".repeat(300)) }),
        json!({ "body": STANDARD.encode(json!({ "detail": "ü".repeat(600) }).to_string()) }),
        json!({ "body": STANDARD.encode(r#"{"detail":7}"#) }),
        json!({ "sourceBody": "not base64!" }),
        json!({ "sourceBody": STANDARD.encode([0xff; 100]) }),
        json!({ "sourceBody": STANDARD.encode("[1]") }),
        json!({ "sourceBody": STANDARD.encode(r#"{"jobId":7,"generation":-1}"#) }),
        json!({ "unknown": [[[]]] }),
    ];
    for (number, members) in table.iter().enumerate() {
        let id = format!("msg-odd-{number}");
        let body = callback(&id, members).to_string().into_bytes();
        let taken = deliver(&cloud, "job-failed", "msg-callback", body).await;
        assert_eq!(taken.status, 200, "{members}: {taken:?}");
        let shown = cloud.get(&format!("/api/queue/jobs/{id}")).await;
        assert_eq!(shown.status, 200, "{members:.60}: {shown:?}");
        assert_eq!(shown.body["status"], "dead", "{members}");
    }
    let page = cloud.get("/api/queue/jobs?status=dead&limit=100").await;
    assert_eq!(
        page.status, 200,
        "one odd record must not hide the others: {page:?}"
    );
    assert_eq!(page.body["items"].as_array().unwrap().len(), table.len());
    assert_nobody_panicked(&cloud);
}

/// Such deliveries would all be one job: the second one would count as a repetition of the first.
#[tokio::test]
async fn delivery_without_job_and_message_id_is_refused() {
    let cloud = TestCloud::start().await;
    for to in ["ann@example.com", "bob@example.com"] {
        let body = signature_request(to).to_string().into_bytes();
        assert_never(&deliver(&cloud, "send-email", "", body).await, to);
    }
    assert!(cloud.mails().is_empty());
}

#[tokio::test]
async fn odd_job_id_is_one_record_and_breaks_nothing() {
    let cloud = TestCloud::start().await;
    let odd = [
        "",
        "a b",
        "\0",
        "../x",
        "{}*[]",
        "job:1",
        "漢字\u{1f600}",
        &"x".repeat(10 << 10),
    ];
    for (number, id) in odd.into_iter().enumerate() {
        let to = format!("odd-{number}@example.com");
        let mut body = signature_request(&to);
        body["jobId"] = json!(id);
        let bytes = body.to_string().into_bytes();
        for _ in 0..2 {
            let taken = deliver(
                &cloud,
                "send-email",
                &format!("msg-{number}"),
                bytes.clone(),
            )
            .await;
            assert_eq!(taken.status, 200, "{id:.20}: {taken:?}");
        }
        assert_eq!(cloud.mails()[&to], 1, "{id:.20}");
    }
    for generation in [
        json!(-1),
        json!(1.5),
        json!("1"),
        json!(u64::MAX),
        json!(0),
        json!(u32::MAX),
    ] {
        let to = "generation@example.com";
        let mut body = signature_request(to);
        body["generation"] = generation.clone();
        let message = format!("msg-generation-{generation}");
        let taken = deliver(
            &cloud,
            "send-email",
            &message,
            body.to_string().into_bytes(),
        )
        .await;
        assert!(
            matches!(taken.status.as_u16(), 200 | 489),
            "{generation}: {taken:?}"
        );
    }
    assert_eq!(cloud.get("/api/queue/jobs?limit=100").await.status, 200);
    assert_nobody_panicked(&cloud);
}
