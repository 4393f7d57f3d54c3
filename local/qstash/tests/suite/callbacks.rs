//! Callbacks to the publisher.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Answer, Cloud, Receiver, a_while, eventually};

#[tokio::test]
async fn callback_reports_every_attempt_and_is_signed() {
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(|one, before| {
        let fails = one.path == "/work" && before == 0;
        Answer::status(if fails { 500 } else { 200 }).header("X-Answer", "a")
    })
    .await;
    let callback = receiver.url("/callback");
    let headers = [
        ("Upstash-Callback", callback.as_str()),
        ("Upstash-Callback-Forward-X-Mine", "m"),
        ("Upstash-Callback-Method", "PUT"),
        ("Upstash-Retry-Delay", "1"),
        ("Upstash-Forward-X-Source", "s"),
    ];
    let id = cloud
        .publish(&receiver.url("/work"), &headers, "payload")
        .await;
    eventually("both attempts are reported", async || {
        receiver.at("/callback").len() == 2
    })
    .await;
    let callbacks = receiver.at("/callback");
    let last = callbacks
        .iter()
        .map(super::harness::Received::json)
        .find(|body| body["status"] == 200)
        .expect("a success");
    assert!(callbacks.iter().any(|one| one.json()["status"] == 500));
    assert_eq!(last["sourceMessageId"], Value::from(id));
    assert_eq!(last["body"], STANDARD.encode("done"));
    assert_eq!(last["sourceBody"], STANDARD.encode("payload"));
    assert_eq!(last["sourceHeader"]["X-Source"], json!(["s"]));
    assert_eq!(last["header"]["X-Answer"], json!(["a"]));
    assert_eq!(
        (&last["retried"], &last["maxRetries"]),
        (&json!(1), &json!(3))
    );
    assert_eq!(last["url"], Value::from(receiver.url("/work")));
    assert!(last.get("dlqId").is_none());
    assert_eq!(
        (callbacks[0].method.as_str(), callbacks[0].header("x-mine")),
        ("PUT", "m")
    );
    assert!(!callbacks[0].header("upstash-signature").is_empty());
}

#[tokio::test]
async fn failure_callback_is_sent_once_at_the_end_and_names_the_dead_letter() {
    let cloud = Cloud::start(1.0).await;
    let receiver =
        Receiver::start(|one, _| Answer::status(if one.path == "/work" { 500 } else { 200 })).await;
    let failure = receiver.url("/failure");
    let headers = [
        ("Upstash-Failure-Callback", failure.as_str()),
        ("Upstash-Retries", "2"),
        ("Upstash-Retry-Delay", "1"),
    ];
    let id = cloud.publish(&receiver.url("/work"), &headers, "").await;
    eventually("the callback arrives", async || {
        !receiver.at("/failure").is_empty()
    })
    .await;
    a_while().await;
    assert_eq!(
        (receiver.at("/work").len(), receiver.at("/failure").len()),
        (3, 1)
    );
    let callback = receiver.at("/failure")[0].json();
    let dlq_id = callback["dlqId"].as_str().expect("dlqId");
    assert_eq!(
        cloud
            .get(&format!("/v2/dlq/{dlq_id}"))
            .await
            .text("messageId"),
        id
    );
}

#[tokio::test]
async fn delivered_message_sends_no_failure_callback() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    let failure = receiver.url("/failure");
    cloud
        .publish(
            &receiver.url("/work"),
            &[("Upstash-Failure-Callback", failure.as_str())],
            "",
        )
        .await;
    eventually("delivered", async || receiver.at("/work").len() == 1).await;
    a_while().await;
    assert!(receiver.at("/failure").is_empty());
}

#[tokio::test]
async fn callback_with_a_delay_is_refused() {
    let cloud = Cloud::start(1.0).await;
    for (callback, delay) in [
        ("Upstash-Callback", "Upstash-Callback-Delay"),
        ("Upstash-Failure-Callback", "Upstash-Failure-Callback-Delay"),
    ] {
        let headers = [(callback, "https://example.com/"), (delay, "5s")];
        let path = "/v2/publish/https://example.com/";
        let refused = cloud.call(Method::POST, path, &headers, "").await;
        refused.assert_refused(StatusCode::BAD_REQUEST, "delay");
    }
}

#[tokio::test]
async fn callback_to_an_unknown_host_is_refused() {
    let cloud = Cloud::start(1.0).await;
    let headers = [("Upstash-Failure-Callback", "https://nobody.invalid/")];
    let path = "/v2/publish/https://example.com/";
    let refused = cloud.call(Method::POST, path, &headers, "").await;
    refused.assert_refused(StatusCode::BAD_REQUEST, "unable to resolve host");
}
