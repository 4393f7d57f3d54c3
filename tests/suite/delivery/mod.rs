//! Deliveries: they arrive at least once, have their effect once, and their outcome can be read.

mod another_type;
mod cancelled;
mod defects;
mod delayed;
mod direct;
mod former;
mod idempotency;
mod keyspace;
mod lease;
mod listing;
mod model;
mod outcomes;
mod overlap;
mod oversized;
mod panics;
mod paused;
mod redriven;

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::support::TestCloud;
use crate::support::cloud::{Answer, TIMEOUT, answer};
use crate::support::payloads::signature_request;
use crate::support::waiting::{eventually, statuses};

/// Returns the message of a job as QStash delivers it.
fn message(id: &str, generation: u32, to: &str) -> Value {
    let mut body = signature_request(to);
    body["jobId"] = json!(id);
    body["generation"] = json!(generation);
    body
}

/// Returns the statistics of all e-mail jobs from the API.
async fn figures(cloud: &TestCloud) -> Value {
    cloud.get("/api/queue/stats").await.body["email"].clone()
}

/// Cancels a job.
async fn cancel(cloud: &TestCloud, id: &str) -> Answer {
    answer(cloud.request(Method::DELETE, &format!("/api/queue/jobs/{id}"))).await
}

/// Redrives a job.
async fn retry(cloud: &TestCloud, id: &str) -> Answer {
    cloud
        .post(&format!("/api/queue/jobs/{id}/retry"), &Value::Null)
        .await
}

/// Waits until QStash has delivered this number of messages in total, and has recorded it.
async fn delivered(cloud: &TestCloud, count: usize) {
    let url = format!("{}/v2/events?state=DELIVERED", cloud.qstash().url());
    let http = shared::protocol::http::client(TIMEOUT).unwrap();
    eventually(&format!("{count} messages are delivered"), async || {
        let request = http.get(&url).bearer_auth(cloud.variable("QSTASH_TOKEN"));
        answer(request).await.body["events"]
            .as_array()
            .unwrap()
            .len()
            >= count
    })
    .await;
}

/// Publishes a body directly to a job's function, as any client of QStash may, and returns the message id.
async fn publish(cloud: &TestCloud, handler: &str, body: &str) -> String {
    let to = cloud.url(&format!("/api/jobs/{handler}"));
    let http = shared::protocol::http::client(TIMEOUT).unwrap();
    let request = http
        .post(format!("{}/v2/publish/{to}", cloud.qstash().url()))
        .bearer_auth(cloud.variable("QSTASH_TOKEN"))
        .header("content-type", "application/json")
        .body(body.to_owned());
    let taken = answer(request).await;
    taken.body["messageId"]
        .as_str()
        .unwrap_or_else(|| panic!("{taken:?}"))
        .to_owned()
}

/// Returns the seconds in an answer's Retry-After.
#[track_caller]
fn wait_of(answer: &Answer) -> u64 {
    answer.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap()
}

/// Lets the ten minutes pass in which the queue remembers deduplication ids.
async fn forget_deduplication(cloud: &TestCloud) {
    cloud.qstash().set_speed(60_000.0);
    tokio::time::sleep(Duration::from_millis(20)).await;
    cloud.qstash().set_speed(60.0);
}
