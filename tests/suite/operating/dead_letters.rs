//! Failed messages without a processed callback.

use http::Method;
use local_mail::Fault;
use serde_json::{Value, json};

use crate::support::TestCloud;
use crate::support::cloud::{TIMEOUT, answer};
use crate::support::payloads::signature_request;
use crate::support::waiting::eventually;

/// Publishes a mail as the official client does, without a failure callback, and returns the message's id.
async fn publish_directly(cloud: &TestCloud, payload: &Value) -> String {
    let url = format!(
        "{}/v2/publish/{}",
        cloud.qstash().url(),
        cloud.url("/api/jobs/send-email")
    );
    let http = shared::protocol::http::client(TIMEOUT).unwrap();
    let request = http
        .request(Method::POST, url)
        .bearer_auth(cloud.variable("QSTASH_TOKEN"))
        .header("content-type", "application/json")
        .header("upstash-retries", "0")
        .body(payload.to_string());
    let published = answer(request).await;
    published.body["messageId"].as_str().unwrap().to_owned()
}

/// Creates a job whose message fails without a callback; returns its id.
pub(crate) async fn give_up_unnoticed(cloud: &TestCloud) -> String {
    cloud.mail().faults().set(Some(Fault::ServerError));
    let id = publish_directly(cloud, &signature_request("ann@example.com")).await;
    cloud.wait_for(&id, "failed").await;
    let letters = format!("{}/v2/dlq", cloud.qstash().url());
    let http = shared::protocol::http::client(TIMEOUT).unwrap();
    eventually("QStash has given the message up", async || {
        let request = http
            .get(&letters)
            .bearer_auth(cloud.variable("QSTASH_TOKEN"));
        answer(request).await.body["messages"]
            .as_array()
            .is_some_and(|it| it.len() == 1)
    })
    .await;
    cloud.mail().faults().set(None);
    id
}

#[tokio::test]
async fn direct_message_without_a_failure_callback_becomes_dead_and_redrivable() {
    let cloud = TestCloud::start().await;
    let id = give_up_unnoticed(&cloud).await;
    let task = json!({ "task": "dead-letters" });
    let first = cloud.deliver_as("msg_1", "relay-outbox", &task).await;
    assert_eq!(
        first.body["result"],
        json!({ "letters": 1, "dead": 1, "unfinished": false }),
        "{first:?}"
    );
    let job = cloud.wait_for(&id, "dead").await;
    let error = job["error"].as_str().unwrap();
    assert!(
        error.contains("given up after 1 deliveries, the last answered 503"),
        "{error}"
    );
    let stats = cloud.get("/api/queue/stats").await.body;
    assert_eq!(
        (&stats["email"]["pending"], &stats["email"]["failed"]),
        (&json!(0), &json!(1)),
        "{stats:#}"
    );
    // The next comparison finds the same letter, and a job that is already dead.
    let second = cloud.deliver_as("msg_2", "relay-outbox", &task).await;
    assert_eq!(second.body["result"]["dead"], 0, "{second:?}");

    // A redriven job has a newer state than its remaining letter.
    let redriven = cloud
        .post(&format!("/api/queue/jobs/{id}/retry"), &Value::Null)
        .await;
    assert_eq!(redriven.status, 202, "{redriven:?}");
    cloud.wait_for(&id, "completed").await;
    let third = cloud.deliver_as("msg_3", "relay-outbox", &task).await;
    assert_eq!(third.body["result"]["dead"], 0, "{third:?}");
    assert_eq!(cloud.job(&id).await["status"], "completed");
    assert_eq!(cloud.mails()["ann@example.com"], 1);
}
