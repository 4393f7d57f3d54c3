//! First in, first out.

use http::{Method, StatusCode};
use serde_json::json;

use crate::harness::{Answer, Cloud, Receiver, a_while, eventually};

async fn enqueue(cloud: &Cloud, url: &str, body: &str, headers: &[(&str, &str)]) {
    let reply = cloud
        .call(
            Method::POST,
            &format!("/v2/enqueue/line/{url}"),
            headers,
            body,
        )
        .await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.json);
}

fn bodies(receiver: &Receiver) -> Vec<String> {
    receiver
        .all()
        .iter()
        .map(|one| String::from_utf8_lossy(&one.body).into_owned())
        .collect()
}

#[tokio::test]
async fn queued_messages_arrive_one_by_one_in_order_and_wait_for_retries() {
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(|one, before| {
        Answer::status(if one.body.as_ref() == b"first" && before == 0 {
            500
        } else {
            200
        })
        .after_ms(10)
    })
    .await;
    let url = receiver.url("/");
    enqueue(&cloud, &url, "first", &[("Upstash-Retry-Delay", "100")]).await;
    enqueue(&cloud, &url, "second", &[]).await;
    enqueue(&cloud, &url, "third", &[]).await;
    eventually("all delivered", async || receiver.all().len() == 4).await;
    assert_eq!(bodies(&receiver), ["first", "first", "second", "third"]);
    assert_eq!(receiver.most_at_once("/"), 1);
}

#[tokio::test]
async fn next_message_waits_for_the_callback_of_the_one_before() {
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(|_, _| Answer::status(200).after_ms(30)).await;
    let callback = receiver.url("/callback");
    enqueue(
        &cloud,
        &receiver.url("/a"),
        "",
        &[("Upstash-Callback", &callback)],
    )
    .await;
    enqueue(&cloud, &receiver.url("/b"), "", &[]).await;
    eventually("all delivered", async || receiver.all().len() == 3).await;
    let paths: Vec<String> = receiver.all().into_iter().map(|one| one.path).collect();
    assert_eq!(paths, ["/a", "/callback", "/b"]);
}

#[tokio::test]
async fn parallelism_is_that_of_the_queue() {
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(|_, _| Answer::status(200).after_ms(300)).await;
    cloud
        .post("/v2/queues", r#"{"queueName":"line","parallelism":3}"#)
        .await;
    for _ in 0..9 {
        enqueue(&cloud, &receiver.url("/"), "", &[]).await;
    }
    eventually("all delivered", async || receiver.all().len() == 9).await;
    assert_eq!(receiver.most_at_once("/"), 3);
}

#[tokio::test]
async fn paused_queue_accepts_messages_and_delivers_none() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    cloud
        .post("/v2/queues", r#"{"queueName":"line","paused":true}"#)
        .await;
    enqueue(&cloud, &receiver.url("/"), "", &[]).await;
    a_while().await;
    assert!(receiver.all().is_empty());
    let queue = cloud.get("/v2/queues/line").await;
    assert_eq!(
        (&queue.json["lag"], &queue.json["paused"]),
        (&json!(1), &json!(true))
    );
    cloud.post("/v2/queues/line/resume", "").await;
    eventually("delivered", async || receiver.all().len() == 1).await;
}

#[tokio::test]
async fn deleted_queue_removes_its_messages() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    cloud
        .post("/v2/queues", r#"{"queueName":"line","paused":true}"#)
        .await;
    enqueue(&cloud, &receiver.url("/"), "", &[]).await;
    cloud.delete("/v2/queues/line").await;
    assert_eq!(cloud.get("/v2/queues").await.json, json!([]));
    assert_eq!(
        cloud.get("/v2/logs?state=CANCELLED").await.json["logs"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    a_while().await;
    assert!(receiver.all().is_empty());
}

#[tokio::test]
async fn malformed_queues_are_refused() {
    let cloud = Cloud::start(1.0).await;
    for body in [
        "",
        "{}",
        r#"{"queueName":"a b"}"#,
        r#"{"queueName":"a","parallelism":0}"#,
        r#"{"queueName":1}"#,
    ] {
        assert_eq!(
            cloud.post("/v2/queues", body).await.status,
            StatusCode::BAD_REQUEST,
            "{body}"
        );
    }
    assert_eq!(
        cloud.post("/v2/queues/none/pause", "").await.status,
        StatusCode::NOT_FOUND
    );
}
