//! Accepted messages survive a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Method;

use crate::harness::{Answer, Cloud, Receiver, a_while, eventually};

#[tokio::test]
async fn delayed_queued_and_waiting_messages_survive_a_crash() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    cloud.server.hold(true);
    cloud
        .publish(
            &receiver.url("/delayed"),
            &[("Upstash-Delay", "1h")],
            "later",
        )
        .await;
    cloud
        .call(
            Method::POST,
            &format!("/v2/enqueue/q/{}", receiver.url("/queued")),
            &[],
            "",
        )
        .await;
    let limits = [
        ("Upstash-Flow-Control-Key", "k"),
        ("Upstash-Flow-Control-Value", "parallelism=1"),
    ];
    cloud.publish(&receiver.url("/limited"), &limits, "").await;
    let cloud = cloud.restart(false, 1.0).await;
    eventually("the two arrive", async || receiver.all().len() == 2).await;
    cloud.server.set_speed(36_000.0);
    eventually("the delayed one arrives", async || {
        receiver.at("/delayed").len() == 1
    })
    .await;
    assert_eq!(receiver.at("/delayed")[0].body.as_ref(), b"later");
}

#[tokio::test]
async fn message_in_delivery_during_a_crash_is_delivered_again() {
    let slow = Arc::new(AtomicBool::new(true));
    let first = Arc::clone(&slow);
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(move |_, _| {
        Answer::status(200).after_ms(if first.load(Ordering::SeqCst) {
            60_000
        } else {
            0
        })
    })
    .await;
    let id = cloud.publish(&receiver.url("/"), &[], "").await;
    eventually("under way", async || receiver.all().len() == 1).await;
    slow.store(false, Ordering::SeqCst);
    let cloud = cloud.restart(false, 1.0).await;
    eventually("delivered again", async || receiver.all().len() == 2).await;
    assert_eq!(receiver.all()[1].header("upstash-message-id"), id);
    eventually("and done", async || {
        cloud.states(&id).await.contains(&"DELIVERED".to_owned())
    })
    .await;
}

#[tokio::test]
async fn graceful_stop_completes_a_delivery_and_does_not_repeat_it() {
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(|_, _| Answer::status(200).after_ms(300)).await;
    cloud.publish(&receiver.url("/"), &[], "").await;
    eventually("under way", async || receiver.all().len() == 1).await;
    let _cloud = cloud.restart(true, 1.0).await;
    a_while().await;
    assert_eq!(receiver.all().len(), 1);
}

#[tokio::test]
async fn retry_count_continues_after_a_restart() {
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(|_, _| Answer::status(500)).await;
    let headers = [("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "3600000")];
    cloud.publish(&receiver.url("/"), &headers, "").await;
    eventually("tried once", async || receiver.all().len() == 1).await;
    eventually("written down", async || {
        cloud.get("/v2/logs?state=RETRY").await.json["logs"]
            .as_array()
            .is_some_and(|logs| logs.len() == 1)
    })
    .await;
    let cloud = cloud.restart(false, 36_000.0).await;
    eventually("given up", async || cloud.dead("").await.len() == 1).await;
    assert_eq!(receiver.all()[1].header("upstash-retried"), "1");
}
