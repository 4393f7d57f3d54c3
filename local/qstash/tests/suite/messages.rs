//! Getting and cancelling active messages.

use http::StatusCode;
use serde_json::json;

use crate::harness::{Answer, Cloud, Receiver, a_while};

#[tokio::test]
async fn message_shows_its_requested_options() {
    let cloud = Cloud::start(1.0).await;
    let headers = [
        ("Upstash-Delay", "10d"),
        ("Upstash-Method", "PATCH"),
        ("Upstash-Retries", "5"),
        ("Upstash-Retry-Delay", "1000 * retried"),
        ("Upstash-Callback", "https://example.com/cb?foo=bar"),
        ("Upstash-Label", "one, two"),
        ("Upstash-Flow-Control-Key", "k"),
        (
            "Upstash-Flow-Control-Value",
            "rate=5, parallelism=10, period=1d",
        ),
        ("Upstash-Forward-test-header", "v"),
        ("Content-Type", "application/json"),
    ];
    let id = cloud.publish("https://example.com", &headers, "{}").await;
    let shown = cloud.get(&format!("/v2/messages/{id}")).await.json;
    let expected = json!({
        "messageId": id, "url": "https://example.com", "method": "PATCH", "maxRetries": 5, "body": "{}",
        "retryDelayExpression": "1000 * retried", "callback": "https://example.com/cb?foo=bar",
        "label": "one", "labels": ["one", "two"], "flowControlKey": "k", "parallelism": 10, "rate": 5, "period": 86_400,
        "header": { "Content-Type": ["application/json"], "Test-Header": ["v"] }, "callerIp": "127.0.0.1",
    });
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&shown[name], value, "{name}");
    }
    let delay = shown["notBefore"]
        .as_u64()
        .zip(shown["createdAt"].as_u64())
        .map(|(due, created)| due - created);
    assert_eq!(delay, Some(10 * 86_400_000));
}

#[tokio::test]
async fn redacted_fields_are_hidden_in_listings_and_delivered_unchanged() {
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(|_, _| Answer::status(500)).await;
    let headers = [
        ("Upstash-Redact-Fields", "body,header[X-Secret]"),
        ("Upstash-Forward-X-Secret", "hush"),
        ("Upstash-Retries", "0"),
    ];
    cloud.publish(&receiver.url("/"), &headers, "secret").await;
    crate::harness::eventually("given up", async || cloud.dead("").await.len() == 1).await;
    assert_eq!(
        (
            receiver.all()[0].body.as_ref(),
            receiver.all()[0].header("x-secret")
        ),
        (&b"secret"[..], "hush")
    );
    for listing in [
        cloud.get("/v2/dlq").await,
        cloud.get("/v2/logs").await,
        cloud.get("/v2/events").await,
    ] {
        let text = listing.json.to_string();
        assert!(
            text.contains("REDACTED:") && !text.contains("hush") && !text.contains("\"secret\""),
            "{text}"
        );
    }
}

#[tokio::test]
async fn cancelled_message_is_never_delivered() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    cloud.server.hold(true);
    let id = cloud.publish(&receiver.url("/"), &[], "").await;
    assert_eq!(
        cloud.delete(&format!("/v2/messages/{id}")).await.json,
        json!({ "cancelled": 1 })
    );
    assert_eq!(
        cloud.delete(&format!("/v2/messages/{id}")).await.status,
        StatusCode::NOT_FOUND
    );
    cloud.server.hold(false);
    a_while().await;
    assert!(receiver.all().is_empty());
    assert_eq!(cloud.states(&id).await, ["CREATED", "CANCELLED"]);
}

#[tokio::test]
async fn messages_are_cancelled_by_filter_and_the_others_stay() {
    let cloud = Cloud::start(1.0).await;
    for (path, label) in [("a", "x"), ("b", "x"), ("c", "y")] {
        let headers = [("Upstash-Delay", "1d"), ("Upstash-Label", label)];
        cloud
            .publish(&format!("https://example.com/{path}"), &headers, "")
            .await;
    }
    assert_eq!(
        cloud.delete("/v2/messages?label=x&path=/a,/c").await.json["cancelled"],
        1
    );
    assert_eq!(
        cloud.delete("/v2/messages?count=1").await.json["cancelled"],
        1
    );
    assert_eq!(
        cloud.delete("/v2/messages?lable=y").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(cloud.delete("/v2/messages").await.json["cancelled"], 1);
}
