//! The functions' logs: JSON lines with ids, without personal data or secrets.

use http::Method;
use local_mail::{Code, Fault};
use local_redis_rest::Fault as RedisFault;
use serde_json::{Value, json};

use super::log::{FUNCTIONS, lines, until};
use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};

/// A mark in all input that no log may repeat.
const MARK: &str = "CANARY";

/// Returns a mail with the mark in every field.
fn marked() -> Value {
    json!({
        "type": "signature-request",
        "to": "canary.person@example.com",
        "signerName": "CANARY Signer",
        "documentTitle": "CANARY lease",
        "senderName": "CANARY Owner",
        "message": "CANARY words",
        "signatureUrl": "https://app.example.com/sign/CANARY?token=CANARY",
    })
}

async fn tracked(cloud: &TestCloud) -> Value {
    let mut body = marked();
    body["jobId"] = cloud.enqueue(&body).await.into();
    body
}

/// Causes every failure that is logged.
async fn cause_failures(cloud: &TestCloud) {
    providers(cloud).await;
    payloads(cloud).await;
    stores(cloud).await;
    callers(cloud).await;
}

async fn providers(cloud: &TestCloud) {
    for fault in [
        None,
        Some(Fault::Rejected),
        Some(Fault::Refused(Code::LimitExceeded)),
        Some(Fault::ServerError),
        Some(Fault::AcceptThenCut),
        Some(Fault::Refused(Code::SendingPaused)),
    ] {
        cloud.mail().faults().set(fault);
        let body = tracked(cloud).await;
        cloud.deliver("send-email", &body).await;
    }
    cloud.mail().faults().set(None);
}

/// Sends invalid payloads, and QStash's callbacks about them.
async fn payloads(cloud: &TestCloud) {
    for (pointer, value) in [
        ("/type", json!(MARK)),
        ("/to", json!("CANARY@@example.com")),
        ("/to", json!({ MARK: MARK })),
        ("/signatureUrl", json!("javascript:CANARY")),
        ("/signerName", json!([MARK])),
        ("/documentTitle", json!("CANARY\u{0}")),
    ] {
        let mut body = tracked(cloud).await;
        *body.pointer_mut(pointer).unwrap() = value;
        let refused = cloud.deliver("send-email", &body).await;
        let response = cloud.post("/api/queue/emails", &body).await;
        assert!(response.status.is_client_error(), "{pointer}: {response:?}");
        let callback = json!({
            "sourceMessageId": "msg_given_up",
            "url": cloud.url("/api/jobs/send-email"),
            "sourceBody": base64(&body.to_string()),
            "status": refused.status.as_u16(),
            "body": base64(&refused.body.to_string()),
        });
        cloud.deliver("job-failed", &callback).await;
    }
    let page = "<html>CANARY</html>";
    let callback = json!({
        "sourceMessageId": "msg_page",
        "url": cloud.url("/api/jobs/send-email"),
        "sourceBody": base64(&marked().to_string()),
        "status": 502,
        "body": base64(page),
    });
    assert_eq!(cloud.deliver("job-failed", &callback).await.status, 200);
    cloud
        .deliver("job-failed", &json!({ "sourceMessageId": [MARK] }))
        .await;
}

async fn stores(cloud: &TestCloud) {
    for fault in [
        RedisFault::Refused,
        RedisFault::Unauthorized,
        RedisFault::RateLimited,
        RedisFault::ReadOnly,
    ] {
        let body = tracked(cloud).await;
        cloud.redis().faults().set(Some(fault));
        cloud.deliver("send-email", &body).await;
        cloud.post("/api/queue/emails", &marked()).await;
        cloud.get("/api/queue/stats").await;
        cloud.get("/api/health/redis").await;
        cloud.redis().faults().set(None);
    }
}

async fn callers(cloud: &TestCloud) {
    answer(
        cloud
            .bare(Method::GET, "/api/queue/stats")
            .bearer_auth(MARK),
    )
    .await;
    answer(cloud.bare(
        Method::GET,
        "/api/queue/jobs/CANARY?label=CANARY&cursor=CANARY",
    ))
    .await;
    answer(cloud.request(Method::GET, "/api/queue/jobs?label=CANARY&cursor=CANARY")).await;
    let request = cloud.request(Method::POST, "/api/queue/emails");
    let request = request
        .header("idempotency-key", MARK)
        .header("x-user-email", "CANARY@example.com");
    answer(with_json(request, &marked())).await;
    for signature in [MARK, "CANARY.CANARY.CANARY"] {
        let request = cloud.bare(Method::POST, "/api/jobs/send-email");
        answer(
            request
                .header("upstash-signature", signature)
                .body(marked().to_string()),
        )
        .await;
    }
}

fn base64(text: &str) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(text)
}

/// Asserts that the logs contain neither callers' input nor any secret of the environment.
fn assert_silent(cloud: &TestCloud) {
    let secrets = [
        "UPSTASH_REDIS_REST_TOKEN",
        "QSTASH_TOKEN",
        "QSTASH_CURRENT_SIGNING_KEY",
        "QSTASH_NEXT_SIGNING_KEY",
        "DATABASE_URL",
        "API_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ];
    let secrets = secrets
        .into_iter()
        .filter_map(|name| cloud.environment().get(name));
    let forbidden: Vec<String> = secrets
        .map(String::as_str)
        .chain([MARK, "canary.person", "@example.com", "Bearer", "eyJ"])
        .map(str::to_lowercase)
        .filter(|secret| !secret.is_empty())
        .collect();
    for function in FUNCTIONS {
        for line in lines(cloud, function) {
            let line = line.to_string();
            let found = forbidden
                .iter()
                .find(|secret| line.to_lowercase().contains(*secret));
            assert!(
                found.is_none(),
                "{function} has logged {:?}: {line}",
                found.unwrap()
            );
        }
    }
}

/// Defect 11: one-time codes and session ids were logged, and keys committed.
#[tokio::test]
async fn logs_contain_no_caller_input_and_no_secret() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    cause_failures(&cloud).await;
    until(&cloud, "send-email", |line| line["level"] == "WARN").await;
    assert_silent(&cloud);
}

#[tokio::test]
async fn trace_logs_contain_no_caller_input() {
    let cloud = TestCloud::start_with(|settings| {
        settings
            .overrides
            .insert("LOG_LEVEL".into(), "trace".into());
    })
    .await;
    cloud.qstash().hold(true);
    cause_failures(&cloud).await;
    until(&cloud, "send-email", |line| line["level"] == "WARN").await;
    assert_silent(&cloud);
}

#[tokio::test]
async fn every_log_line_has_time_level_message_function_and_request_id() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    cause_failures(&cloud).await;
    for function in ["queue", "queue-jobs", "health", "send-email", "job-failed"] {
        let logged: Vec<Value> = lines(&cloud, function)
            .into_iter()
            .filter(|line| line.get("_aws").is_none())
            .collect();
        assert!(!logged.is_empty(), "{function} wrote no log");
        for line in logged {
            assert!(
                line["timestamp"]
                    .as_str()
                    .unwrap()
                    .parse::<jiff::Timestamp>()
                    .is_ok(),
                "{line}"
            );
            assert!(
                ["ERROR", "WARN", "INFO"].contains(&line["level"].as_str().unwrap()),
                "{line}"
            );
            assert!(!line["message"].as_str().unwrap().is_empty(), "{line}");
            assert_eq!(line["span"]["function"], function, "{line}");
            assert!(
                line["span"]["request_id"].as_str().unwrap().len() > 1,
                "{line}"
            );
        }
    }
}
