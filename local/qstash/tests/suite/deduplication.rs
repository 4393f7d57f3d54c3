//! Repeated messages within ten minutes are one message.

use http::{Method, StatusCode};

use crate::harness::{Answer, Cloud, Receiver, a_while, eventually};

#[tokio::test]
async fn repeated_id_within_the_window_is_accepted_and_not_delivered_again() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    let headers = [("Upstash-Deduplication-Id", "once")];
    let path = format!("/v2/publish/{}", receiver.url("/"));
    let first = cloud.call(Method::POST, &path, &headers, "a").await;
    let second = cloud.call(Method::POST, &path, &headers, "b").await;
    assert_eq!(
        (second.status, &second.json["deduplicated"]),
        (StatusCode::ACCEPTED, &true.into())
    );
    assert_eq!(first.text("messageId"), second.text("messageId"));
    a_while().await;
    assert_eq!(receiver.all().len(), 1);
}

#[tokio::test]
async fn deduplication_id_expires_after_ten_minutes() {
    let (cloud, receiver) = (
        Cloud::start(6_000.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    let headers = [("Upstash-Deduplication-Id", "once")];
    let path = format!("/v2/publish/{}", receiver.url("/"));
    cloud.call(Method::POST, &path, &headers, "").await;
    eventually("accepted anew", async || {
        cloud.call(Method::POST, &path, &headers, "").await.status == 200
    })
    .await;
}

#[tokio::test]
async fn duplicate_is_recognised_after_a_restart() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    let headers = [("Upstash-Deduplication-Id", "once")];
    let path = format!("/v2/publish/{}", receiver.url("/"));
    cloud.call(Method::POST, &path, &headers, "").await;
    let cloud = cloud.restart(true, 1.0).await;
    assert_eq!(
        cloud.call(Method::POST, &path, &headers, "").await.status,
        StatusCode::ACCEPTED
    );
}

#[tokio::test]
async fn content_based_ids_cover_body_destination_and_forwarded_headers() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    let publish = async |path: &str, header: &str, body: &'static str| {
        let headers = [
            ("Upstash-Content-Based-Deduplication", "true"),
            ("Upstash-Forward-X-H", header),
        ];
        let path = format!("/v2/publish/{}", receiver.url(path));
        cloud.call(Method::POST, &path, &headers, body).await.status
    };
    assert_eq!(publish("/a", "1", "x").await, StatusCode::OK);
    assert_eq!(publish("/a", "1", "x").await, StatusCode::ACCEPTED);
    assert_eq!(publish("/a", "1", "y").await, StatusCode::OK);
    assert_eq!(publish("/b", "1", "x").await, StatusCode::OK);
    assert_eq!(publish("/a", "2", "x").await, StatusCode::OK);
}
