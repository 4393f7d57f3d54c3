//! Failed messages: listed, deleted, retried.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use http::{Method, StatusCode};
use serde_json::json;

use crate::harness::{Answer, Cloud, Receiver, eventually};

async fn with_dead(labels: &[&str]) -> (Cloud, Receiver, Arc<AtomicU16>) {
    let (cloud, status) = (Cloud::start(1.0).await, Arc::new(AtomicU16::new(500)));
    let shared = Arc::clone(&status);
    let receiver = Receiver::start(move |_, _| Answer::status(shared.load(Ordering::SeqCst))).await;
    for label in labels {
        let headers = [("Upstash-Label", *label), ("Upstash-Retries", "0")];
        cloud
            .publish(&receiver.url(&format!("/{label}")), &headers, *label)
            .await;
    }
    eventually("all given up", async || {
        cloud.dead("").await.len() == labels.len()
    })
    .await;
    (cloud, receiver, status)
}

#[tokio::test]
async fn dead_letter_shows_the_message_and_the_last_answer() {
    let (cloud, _receiver, _) = with_dead(&["a"]).await;
    let entry = &cloud.dead("label=a").await[0];
    assert_eq!(
        (&entry["body"], &entry["responseBody"]),
        (&json!("a"), &json!("done"))
    );
    assert_eq!(
        (&entry["responseStatus"], &entry["label"]),
        (&json!(500), &json!("a"))
    );
}

#[tokio::test]
async fn filters_narrow_the_list_and_pages_follow_each_other() {
    let (cloud, receiver, _) = with_dead(&["a", "b", "c"]).await;
    assert_eq!(cloud.dead("label=a,b").await.len(), 2);
    assert_eq!(cloud.dead("path=/c&responseStatus=500").await.len(), 1);
    assert!(cloud.dead("responseStatus=404").await.is_empty());
    assert_eq!(
        cloud
            .dead(&format!("url={}", receiver.url("/a")))
            .await
            .len(),
        1
    );
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..3 {
        let page = cloud.get(&format!("/v2/dlq?count=1&cursor={cursor}")).await;
        seen.push(
            page.json["messages"][0]["label"]
                .as_str()
                .expect("a label")
                .to_owned(),
        );
        cursor = page.json["cursor"].as_str().unwrap_or_default().to_owned();
    }
    seen.sort();
    assert_eq!(seen, ["a", "b", "c"]);
    assert!(cursor.is_empty(), "the last page has no cursor");
}

#[tokio::test]
async fn mistyped_filter_changes_nothing() {
    let (cloud, _receiver, _) = with_dead(&["a"]).await;
    assert_eq!(
        cloud.delete("/v2/dlq?labeel=a").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        cloud.post("/v2/dlq/retry?labeel=a", "").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(cloud.dead("").await.len(), 1);
}

#[tokio::test]
async fn deleted_dead_letter_is_gone() {
    let (cloud, _receiver, _) = with_dead(&["a", "b"]).await;
    let id = cloud.dead("label=a").await[0]["dlqId"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert_eq!(
        cloud.delete(&format!("/v2/dlq/{id}")).await.status,
        StatusCode::OK
    );
    assert_eq!(
        cloud.delete(&format!("/v2/dlq/{id}")).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(cloud.delete("/v2/dlq?count=100").await.json["deleted"], 1);
}

#[tokio::test]
async fn retried_dead_letter_becomes_a_new_message_and_leaves_the_queue() {
    let (cloud, receiver, status) = with_dead(&["a"]).await;
    status.store(200, Ordering::SeqCst);
    let entry = cloud.dead("").await[0].clone();
    let path = format!("/v2/dlq/retry/{}", entry["dlqId"].as_str().expect("an id"));
    let reply = cloud
        .call(
            Method::POST,
            &path,
            &[("Upstash-Forward-X-Again", "yes")],
            "",
        )
        .await;
    assert_eq!(reply.status, StatusCode::CREATED);
    assert_ne!(json!(reply.text("messageId")), entry["messageId"]);
    eventually("delivered again", async || receiver.at("/a").len() == 2).await;
    let again = &receiver.at("/a")[1];
    assert_eq!(
        (again.body.as_ref(), again.header("x-again")),
        (&b"a"[..], "yes")
    );
    assert!(cloud.dead("").await.is_empty());
}

#[tokio::test]
async fn dead_letters_are_retried_by_filter_and_by_ids() {
    let (cloud, receiver, status) = with_dead(&["a", "b", "c"]).await;
    status.store(200, Ordering::SeqCst);
    let reply = cloud.post("/v2/dlq/retry?label=a&label=b", "").await;
    assert_eq!(
        (
            reply.status,
            reply.json["responses"].as_array().map(Vec::len)
        ),
        (StatusCode::CREATED, Some(2))
    );
    let id = cloud.dead("").await[0]["dlqId"].clone();
    let reply = cloud
        .call(
            Method::DELETE,
            "/v2/dlq",
            &[],
            json!({ "dlqIds": [id] }).to_string(),
        )
        .await;
    assert_eq!(reply.json["deleted"], 1);
    eventually("delivered again", async || receiver.all().len() == 5).await;
    let empty = cloud
        .call(Method::DELETE, "/v2/dlq", &[], r#"{"dlqIds":[]}"#)
        .await;
    assert_eq!(empty.status, StatusCode::BAD_REQUEST);
}
