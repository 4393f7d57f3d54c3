//! Messages whose delay is ended early.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::harness::{Answer, Cloud, Receiver, eventually};

async fn release(cloud: &Cloud, id: &str) -> crate::harness::Reply {
    cloud.post(&format!("/v2/messages/{id}/retry"), "").await
}

#[tokio::test]
async fn delayed_message_is_delivered_when_released() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    let id = cloud
        .publish(&receiver.url("/"), &[("Upstash-Delay", "1h")], "x")
        .await;
    let released = release(&cloud, &id).await;
    assert_eq!(released.status, StatusCode::OK, "{}", released.json);
    eventually("delivered", async || receiver.count() == 1).await;
}

#[tokio::test]
async fn released_retry_is_the_planned_one() {
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(|_, _| Answer::status(500)).await;
    let headers = [("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "3600000")];
    let id = cloud.publish(&receiver.url("/"), &headers, "x").await;
    let retrying = async || cloud.states(&id).await.contains(&"RETRY".to_owned());
    eventually("it waits for its retry", retrying).await;
    assert_eq!(release(&cloud, &id).await.status, StatusCode::OK);
    eventually("given up", async || cloud.dead("").await.len() == 1).await;
    assert_eq!(receiver.at("/")[1].header("upstash-retried"), "1");
    assert_eq!(receiver.count(), 2);
}

#[tokio::test]
async fn queued_delivering_and_unknown_messages_are_not_released() {
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(|_, _| Answer::status(200).after(Duration::from_mins(1))).await;
    let path = format!("/v2/enqueue/line/{}", receiver.url("/queued"));
    let queued = cloud
        .call(Method::POST, &path, &[("Upstash-Delay", "1h")], "")
        .await;
    let refused = release(&cloud, &queued.text("messageId")).await;
    refused.assert_refused(StatusCode::BAD_REQUEST, "queue");
    let slow = cloud.publish(&receiver.url("/slow"), &[], "").await;
    eventually("under way", async || receiver.count() == 1).await;
    let refused = release(&cloud, &slow).await;
    refused.assert_refused(StatusCode::BAD_REQUEST, "being delivered");
    let unknown = release(&cloud, "msg_nothing").await;
    unknown.assert_refused(StatusCode::NOT_FOUND, "msg_nothing");
}

#[tokio::test]
async fn released_message_stays_released_after_a_restart() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    let id = cloud
        .publish(&receiver.url("/"), &[("Upstash-Delay", "1h")], "x")
        .await;
    cloud.server.hold(true);
    release(&cloud, &id).await;
    let _cloud = cloud.restart(true, 1.0).await;
    eventually("delivered", async || receiver.count() == 1).await;
}
