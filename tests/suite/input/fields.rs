//! JSON objects with one invalid field: 422, with the pointer of that field.

use http::Method;

use super::{assert_nobody_panicked, payload};
use crate::support::TestCloud;
use crate::support::payloads::{bulk, signature_request};
use serde_json::json;

#[tokio::test]
async fn every_invalid_mail_field_is_named_and_nothing_is_enqueued() {
    let cloud = TestCloud::start().await;
    for faulty in payload::single() {
        let refused = cloud.post("/api/queue/emails", &faulty.payload).await;
        refused.assert_invalid(faulty.pointer, &faulty.why);
    }
    for faulty in payload::many() {
        let refused = cloud.post("/api/queue/emails", &faulty.payload).await;
        refused.assert_invalid(faulty.pointer, &faulty.why);
        let refused = cloud.post("/api/queue/emails/bulk", &faulty.payload).await;
        refused.assert_invalid(faulty.pointer, &faulty.why);
    }
    let jobs = cloud.get("/api/queue/jobs").await;
    assert_eq!(jobs.body["items"], json!([]));
    assert!(cloud.mails().is_empty());
    assert_nobody_panicked(&cloud);
}

#[tokio::test]
async fn problem_and_log_do_not_quote_the_sent_address() {
    let cloud = TestCloud::start().await;
    for member in [
        "to",
        "signerName",
        "documentTitle",
        "message",
        "signatureUrl",
        "dueDate",
        "type",
    ] {
        let mut payload = signature_request("ann@example.com");
        payload[member] = json!("canary@example.com\0");
        let refused = cloud.post("/api/queue/emails", &payload).await;
        assert_eq!(refused.status, 422, "{member}");
        assert!(
            !refused.body.to_string().contains("canary"),
            "{member}: {:#}",
            refused.body
        );
        cloud.deliver("send-email", &payload).await;
    }
    let logs = cloud.logs();
    let line = logs.lines().find(|line| line.contains("canary"));
    assert_eq!(line, None);
    assert!(!logs.contains(cloud.variable("API_TOKEN")));
}

#[tokio::test]
async fn unusual_but_valid_mail_is_accepted() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let mut unusual = signature_request(" Ann.O'Hara+tag@bücher.example ");
    unusual["unknown"] = json!({ "deeply": [1, 2, { "nested": null }] });
    unusual["signerName"] = json!("Åsa 漢字 \u{1f58a} <b>");
    unusual["message"] = json!("two\r\nlines and\ta tab");
    unusual["dueDate"] = json!("");
    unusual["requestId"] = json!(null);
    unusual["signatureUrl"] = json!("https://bücher.example/ä?x=1#y");
    let taken = cloud.post("/api/queue/emails", &unusual).await;
    assert_eq!(taken.status, 202, "{taken:?}");
    let taken = cloud.post("/api/queue/emails/bulk", &bulk(10_000)).await;
    assert_eq!(taken.status, 202, "{:?}", taken.status);
    assert_eq!(taken.body["jobIds"].as_array().unwrap().len(), 100);
    let listed = cloud.request(Method::GET, "/api/queue/jobs?limit=100");
    assert_eq!(crate::support::cloud::answer(listed).await.status, 200);
}
