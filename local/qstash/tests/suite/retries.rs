//! Retries of a message, and their limits.

use serde_json::Value;

use crate::harness::{Answer, Cloud, Receiver, a_while, eventually};

/// Returns the time of the next delivery in the log, in milliseconds after the retry was recorded.
async fn planned_delay(cloud: &Cloud, id: &str) -> u64 {
    let logs = cloud
        .get(&format!("/v2/logs?messageId={id}&state=RETRY"))
        .await
        .json["logs"]
        .clone();
    let at = |name: &str| {
        logs[0][name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name} is missing in {logs}"))
    };
    at("nextDeliveryTime") - at("time")
}

async fn delay_after(answer: Answer, headers: &[(&str, &str)]) -> u64 {
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(move |_, _| answer.clone()).await;
    let id = cloud.publish(&receiver.url("/"), headers, "").await;
    eventually("a retry is planned", async || {
        cloud.states(&id).await.contains(&"RETRY".to_owned())
    })
    .await;
    planned_delay(&cloud, &id).await
}

#[tokio::test]
async fn default_schedule_is_followed_until_the_retries_are_used_up() {
    let cloud = Cloud::start(20_000.0).await;
    let receiver = Receiver::start(|_, _| Answer::status(500)).await;
    let id = cloud
        .publish(&receiver.url("/fail"), &[("Upstash-Retries", "2")], "body")
        .await;
    eventually("given up", async || cloud.dead("").await.len() == 1).await;
    let retried: Vec<String> = receiver
        .at("/fail")
        .iter()
        .map(|one| one.header("upstash-retried").to_owned())
        .collect();
    assert_eq!(retried, ["0", "1", "2"]);
    let signatures: std::collections::BTreeSet<String> = receiver
        .at("/fail")
        .iter()
        .map(|one| one.header("upstash-signature").to_owned())
        .collect();
    assert_eq!(signatures.len(), 3, "every attempt is signed afresh");
    let attempt = ["ACTIVE", "ERROR"];
    let expected = [
        &["CREATED"][..],
        &attempt,
        &["RETRY"],
        &attempt,
        &["RETRY"],
        &attempt,
        &["FAILED"],
    ]
    .concat();
    assert_eq!(cloud.states(&id).await, expected);
    let logs = cloud
        .get(&format!(
            "/v2/logs?messageId={id}&state=RETRY&order=earliestFirst"
        ))
        .await
        .json["logs"]
        .clone();
    let delay = |at: usize| {
        logs[at]["nextDeliveryTime"]
            .as_u64()
            .zip(logs[at]["time"].as_u64())
            .map(|(a, b)| a - b)
    };
    assert_eq!((delay(0), delay(1)), (Some(12_000), Some(148_000)));
}

#[tokio::test]
async fn retry_delay_expression_replaces_the_schedule() {
    let delay = delay_after(
        Answer::status(500),
        &[("Upstash-Retry-Delay", "1000 * (5 + retried)")],
    )
    .await;
    assert_eq!(delay, 5_000);
}

#[tokio::test]
async fn receivers_retry_after_overrides_schedule_and_expression() {
    let expression = [("Upstash-Retry-Delay", "5000")];
    assert_eq!(
        delay_after(Answer::status(503).header("Retry-After", "30"), &expression).await,
        30_000
    );
    let reset = Answer::status(429).header("X-RateLimit-Reset-Requests", "6m5s");
    assert_eq!(delay_after(reset, &[]).await, 365_000);
}

#[tokio::test]
async fn retry_after_over_a_day_is_ignored() {
    assert_eq!(
        delay_after(Answer::status(503).header("Retry-After", "90000"), &[]).await,
        12_000
    );
}

#[tokio::test]
async fn message_that_finally_succeeds_is_delivered_and_not_dead() {
    let cloud = Cloud::start(1.0).await;
    let receiver =
        Receiver::start(|_, before| Answer::status(if before < 2 { 503 } else { 204 })).await;
    let id = cloud
        .publish(&receiver.url("/"), &[("Upstash-Retry-Delay", "10")], "")
        .await;
    eventually("delivered", async || {
        cloud
            .states(&id)
            .await
            .last()
            .is_some_and(|state| state == "DELIVERED")
    })
    .await;
    assert_eq!(receiver.all().len(), 3);
    assert!(cloud.dead("").await.is_empty());
}

#[tokio::test]
async fn non_retryable_answer_is_not_retried() {
    let cloud = Cloud::start(1.0).await;
    let refuse = |_: &_, _| Answer::status(489).header("Upstash-NonRetryable-Error", "true");
    let receiver = Receiver::start(refuse).await;
    cloud
        .publish(&receiver.url("/"), &[("Upstash-Retry-Delay", "1")], "")
        .await;
    eventually("given up", async || cloud.dead("").await.len() == 1).await;
    a_while().await;
    assert_eq!(receiver.all().len(), 1);
    assert_eq!(cloud.dead("").await[0]["responseStatus"], Value::from(489));
}

#[tokio::test]
async fn status_489_without_the_header_is_retried() {
    let cloud = Cloud::start(1.0).await;
    let receiver =
        Receiver::start(|_, before| Answer::status(if before == 0 { 489 } else { 200 })).await;
    cloud
        .publish(&receiver.url("/"), &[("Upstash-Retry-Delay", "1")], "")
        .await;
    eventually("tried again", async || receiver.all().len() == 2).await;
}
