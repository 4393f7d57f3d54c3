//! Flow-control limits, measured at the receiver.

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde_json::json;

use crate::harness::{Answer, Cloud, Receiver, a_while, eventually};

const KEY: &str = "email-high-3";

async fn publish_many(cloud: &Cloud, url: &str, value: &str, count: usize) {
    let headers = [
        ("Upstash-Flow-Control-Key", KEY),
        ("Upstash-Flow-Control-Value", value),
    ];
    for _ in 0..count {
        cloud.publish(url, &headers, "").await;
    }
}

/// Returns the maximum number of deliveries that started within any `window`.
fn most_within(begun: &[Instant], window: Duration) -> usize {
    begun
        .iter()
        .map(|from| {
            begun
                .iter()
                .filter(|at| *at >= from && at.duration_since(*from) < window)
                .count()
        })
        .max()
        .unwrap_or(0)
}

#[tokio::test]
async fn concurrent_deliveries_are_limited_to_the_parallelism_over_all_urls_of_a_key() {
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(|_, _| Answer::status(200).after_ms(40)).await;
    publish_many(&cloud, &receiver.url("/same"), "parallelism=2", 12).await;
    eventually("all delivered", async || receiver.all().len() == 12).await;
    assert_eq!(receiver.most_at_once("/same"), 2);
}

#[tokio::test]
async fn starts_in_a_period_are_limited_to_the_rate_including_retries() {
    let cloud = Cloud::start(1.0).await;
    let receiver =
        Receiver::start(|_, before| Answer::status(if before % 2 == 0 { 500 } else { 200 })).await;
    let headers = [
        ("Upstash-Flow-Control-Key", KEY),
        ("Upstash-Flow-Control-Value", "rate=3, period=400ms"),
        ("Upstash-Retry-Delay", "1"),
    ];
    for at in 0..6 {
        cloud
            .publish(&receiver.url(&format!("/{at}")), &headers, "")
            .await;
    }
    eventually("all delivered", async || receiver.all().len() == 12).await;
    let begun: Vec<Instant> = receiver.all().iter().map(|one| one.at).collect();
    // Two neighbouring periods may touch; three may not be as close. A delivery may take a while to arrive.
    assert!(
        most_within(&begun, Duration::from_millis(350)) <= 6,
        "{begun:?}"
    );
    assert!(
        begun[11].duration_since(begun[0]) > Duration::from_secs(1),
        "{begun:?}"
    );
}

#[tokio::test]
async fn keys_do_not_delay_each_other() {
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(|one, _| {
        Answer::status(200).after_ms(if one.path == "/slow" { 60_000 } else { 0 })
    })
    .await;
    publish_many(&cloud, &receiver.url("/slow"), "parallelism=1", 3).await;
    let headers = [
        ("Upstash-Flow-Control-Key", "other"),
        ("Upstash-Flow-Control-Value", "parallelism=1"),
    ];
    cloud.publish(&receiver.url("/quick"), &headers, "").await;
    eventually("the other key delivers", async || {
        receiver.at("/quick").len() == 1
    })
    .await;
    let key = cloud.get("/v2/flowControl/email-high-3").await;
    assert_eq!(
        (&key.json["waitListSize"], &key.json["parallelismCount"]),
        (&json!(2), &json!(1))
    );
}

#[tokio::test]
async fn paused_key_holds_messages_until_resumed() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    assert_eq!(
        cloud
            .post("/v2/flowControl/email-high-3/pause", "")
            .await
            .status,
        StatusCode::OK
    );
    publish_many(&cloud, &receiver.url("/"), "parallelism=5", 2).await;
    a_while().await;
    assert!(receiver.all().is_empty());
    let cloud = cloud.restart(true, 1.0).await;
    a_while().await;
    assert!(receiver.all().is_empty(), "the pause outlives a restart");
    cloud.post("/v2/flowControl/email-high-3/resume", "").await;
    eventually("delivered", async || receiver.all().len() == 2).await;
}

#[tokio::test]
async fn pinned_limits_override_those_of_messages() {
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(|_, _| Answer::status(200).after_ms(40)).await;
    cloud
        .post("/v2/flowControl/email-high-3/pin?parallelism=1", "")
        .await;
    publish_many(&cloud, &receiver.url("/"), "parallelism=10", 4).await;
    eventually("all delivered", async || receiver.all().len() == 4).await;
    assert_eq!(receiver.most_at_once("/"), 1);
    let key = cloud.get("/v2/flowControl/email-high-3").await;
    assert_eq!(
        (
            &key.json["parallelismMax"],
            &key.json["isPinnedParallelism"]
        ),
        (&json!(1), &json!(true))
    );
    cloud
        .post("/v2/flowControl/email-high-3/unpin?parallelism=true", "")
        .await;
    assert_eq!(
        cloud.get("/v2/flowControl/email-high-3").await.json["parallelismMax"],
        10
    );
}

#[tokio::test]
async fn rate_reset_ends_the_period() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    publish_many(&cloud, &receiver.url("/"), "rate=1,period=1d", 2).await;
    eventually("one delivered", async || receiver.all().len() == 1).await;
    a_while().await;
    assert_eq!(receiver.all().len(), 1);
    cloud
        .post("/v2/flowControl/email-high-3/resetRate", "")
        .await;
    eventually("the other delivered", async || receiver.all().len() == 2).await;
}

#[tokio::test]
async fn keys_are_listed_and_an_unknown_one_is_not_found() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    publish_many(&cloud, &receiver.url("/"), "rate=10", 1).await;
    let listed = cloud.get("/v2/flowControl?search=high").await;
    assert_eq!(listed.json[0]["flowControlKey"], KEY);
    assert_eq!(
        cloud.get("/v2/flowControl?search=nothing").await.json,
        json!([])
    );
    assert_eq!(
        cloud.get("/v2/flowControl/nothing").await.status,
        StatusCode::NOT_FOUND
    );
    let malformed = [
        ("Upstash-Flow-Control-Key", KEY),
        ("Upstash-Flow-Control-Value", "rate=none"),
    ];
    let path = format!("/v2/publish/{}", receiver.url("/"));
    assert_eq!(
        cloud.call(Method::POST, &path, &malformed, "").await.status,
        StatusCode::BAD_REQUEST
    );
}
