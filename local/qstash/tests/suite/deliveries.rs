//! The request that a receiver gets.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::harness::{Answer, Cloud, Receiver, a_while, eventually};

const CURRENT_KEY: &str = "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r";

fn claims(token: &str, key: &str) -> Value {
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key");
    mac.update(signed.as_bytes());
    mac.verify_slice(&URL_SAFE_NO_PAD.decode(signature).expect("base64url"))
        .expect("signed with the key");
    let (_, payload) = signed.split_once('.').expect("header and payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

#[tokio::test]
async fn message_arrives_verbatim_with_documented_headers_and_a_valid_signature() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    let body = b"\x00\xff not text \n".to_vec();
    let url = receiver.url("/hook?a=1&b=%20");
    let headers = [
        ("Upstash-Method", "PUT"),
        ("Content-Type", "application/x-thing"),
        ("Upstash-Forward-X-Key", "value"),
        ("Upstash-Forward-Upstash-Message-Id", "forged"),
    ];
    let id = cloud.publish(&url, &headers, body.clone()).await;
    eventually("delivered", async || receiver.all().len() == 1).await;
    let request = &receiver.all()[0];
    assert_eq!(
        (&request.method, request.path.as_str()),
        (&Method::PUT, "/hook?a=1&b=%20")
    );
    assert_eq!(request.body, body);
    assert_eq!(request.header("content-type"), "application/x-thing");
    assert_eq!(request.header("x-key"), "value");
    assert_eq!(request.header("user-agent"), "Upstash-QStash");
    assert_eq!(request.header("upstash-message-id"), id);
    assert_eq!(request.header("upstash-retried"), "0");
    assert_eq!(request.header("upstash-caller-ip"), "127.0.0.1");
    assert_eq!(request.header("upstash-region"), "EU-CENTRAL-1");
    let claims = claims(request.header("upstash-signature"), CURRENT_KEY);
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&Value::from("Upstash"), &Value::from(url))
    );
    assert_eq!(claims["body"], URL_SAFE.encode(Sha256::digest(&body)));
    eventually("the message is removed", async || {
        cloud.get(&format!("/v2/messages/{id}")).await.status == 404
    })
    .await;
    assert_eq!(cloud.states(&id).await, ["CREATED", "ACTIVE", "DELIVERED"]);
}

#[tokio::test]
async fn all_headers_except_the_token_are_forwarded_on_request() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    cloud
        .publish(
            &receiver.url("/"),
            &[("Upstash-Header-Forward", "true"), ("X-Trace", "t")],
            "",
        )
        .await;
    eventually("delivered", async || receiver.all().len() == 1).await;
    let request = &receiver.all()[0];
    assert_eq!(request.header("x-trace"), "t");
    assert!(!request.headers.contains_key("authorization"));
}

#[tokio::test]
async fn delayed_message_waits_for_its_time_and_time_follows_the_speed() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    cloud
        .publish(&receiver.url("/delay"), &[("Upstash-Delay", "1h")], "")
        .await;
    a_while().await;
    assert!(receiver.all().is_empty());
    cloud.server.set_speed(36_000.0);
    eventually("delivered", async || receiver.at("/delay").len() == 1).await;
}

#[tokio::test]
async fn options_in_the_query_are_read_and_the_destinations_query_is_kept() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    cloud
        .publish(
            &receiver.url("/q?x=1&upstash-method=PATCH&upstash-forward-x-y=z"),
            &[],
            "",
        )
        .await;
    eventually("delivered", async || receiver.at("/q?x=1").len() == 1).await;
    let request = &receiver.all()[0];
    assert_eq!(
        (&request.method, request.header("x-y")),
        (&Method::PATCH, "z")
    );
}

#[tokio::test]
async fn past_not_before_means_at_once_and_overrides_a_delay() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    let headers = [
        ("Upstash-Not-Before", "1700000000"),
        ("Upstash-Delay", "1d"),
    ];
    cloud.publish(&receiver.url("/"), &headers, "").await;
    eventually("delivered", async || receiver.all().len() == 1).await;
}

#[tokio::test]
async fn slow_receiver_is_a_failed_attempt() {
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(|_, _| Answer::status(200).after_ms(60_000)).await;
    let id = cloud
        .publish(
            &receiver.url("/"),
            &[("Upstash-Timeout", "50ms"), ("Upstash-Retries", "0")],
            "",
        )
        .await;
    eventually("given up", async || {
        !cloud.dead(&format!("messageId={id}")).await.is_empty()
    })
    .await;
    let dead = &cloud.dead("").await[0];
    assert_eq!(
        (&dead["responseStatus"], &dead["responseBody"]),
        (&Value::from(0), &Value::from("no answer within 50 ms"))
    );
}

#[tokio::test]
async fn rotated_keys_sign_later_deliveries() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    let before = cloud.get("/v2/keys").await;
    let after = cloud.post("/v2/keys/rotate", "").await;
    assert_eq!(after.text("current"), before.text("next"));
    assert_ne!(after.text("next"), before.text("next"));
    let cloud = cloud.restart(true, 1.0).await;
    cloud.publish(&receiver.url("/"), &[], "x").await;
    eventually("delivered", async || receiver.all().len() == 1).await;
    claims(
        receiver.all()[0].header("upstash-signature"),
        &after.text("current"),
    );
}

#[tokio::test]
async fn held_server_accepts_messages_and_delivers_none() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    cloud.server.hold(true);
    let id = cloud.publish(&receiver.url("/"), &[], "").await;
    a_while().await;
    assert!(receiver.all().is_empty());
    assert_eq!(cloud.get(&format!("/v2/messages/{id}")).await.status, 200);
    cloud.server.hold(false);
    eventually("delivered", async || receiver.all().len() == 1).await;
}

#[tokio::test]
async fn framing_headers_do_not_reach_the_receiver() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    let headers = [
        ("Upstash-Forward-Content-Length", "1"),
        ("Upstash-Forward-Transfer-Encoding", "gzip"),
        ("Upstash-Forward-Host", "elsewhere.test"),
        ("Upstash-Forward-Connection", "close"),
        ("Upstash-Forward-X-Kept", "yes"),
        ("Upstash-Timeout", "5s"),
    ];
    cloud
        .publish(&receiver.url("/"), &headers, "the whole body")
        .await;
    let endpoints = serde_json::json!({ "endpoints": [{ "url": receiver.url("/group") }] });
    cloud
        .post("/v2/topics/group/endpoints", &endpoints.to_string())
        .await;
    let defaults = r#"{"headers":{"content-length":["1"],"x-kept":["yes"]}}"#;
    cloud
        .call(Method::PATCH, "/v2/topics/group", &[], defaults)
        .await;
    cloud.post("/v2/publish/group", "the whole body").await;
    eventually("both delivered", async || receiver.count() == 2).await;
    for request in receiver.all() {
        assert_eq!(request.body.as_ref(), b"the whole body");
        assert_eq!(request.header("content-length"), "14");
        assert_eq!(request.header("x-kept"), "yes");
        assert!(request.header("host").starts_with("127.0.0.1"));
        assert!(request.headers.get("transfer-encoding").is_none());
        assert!(request.headers.get("connection").is_none());
    }
}

#[tokio::test]
async fn log_shows_the_retry_delay_under_both_client_names() {
    let cloud = Cloud::start(1.0).await;
    let headers = [
        ("Upstash-Delay", "1h"),
        ("Upstash-Retry-Delay", "1000 * retried"),
    ];
    let id = cloud.publish("https://example.com/", &headers, "").await;
    let log = cloud.get(&format!("/v2/logs?messageId={id}")).await.json["logs"][0].clone();
    assert_eq!(log["retryDelayExpr"], "1000 * retried");
    assert_eq!(log["retryDelayExpression"], "1000 * retried");
}
