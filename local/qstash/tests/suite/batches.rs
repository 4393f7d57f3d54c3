//! Many messages in one call.

use std::collections::HashSet;

use http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Answer, Cloud, Receiver, a_while, eventually};

#[tokio::test]
async fn unsendable_item_does_not_block_the_others() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    cloud
        .post(
            "/v2/topics/group/endpoints",
            &json!({ "endpoints": [{ "url": receiver.url("/g") }] }).to_string(),
        )
        .await;
    let items = json!([
        { "destination": receiver.url("/1"), "headers": { "Upstash-Method": "PUT" }, "body": "one" },
        { "destination": "nowhere", "body": "" },
        { "destination": "https://nobody.invalid/" },
        { "destination": "group", "body": "g" },
        { "destination": receiver.url("/3"), "queue": "q" },
        { "destination": "http://10.0.0.1/" },
        { "destination": receiver.url("/4"), "headers": { "Upstash-Delay": "400d" } },
    ]);
    let reply = cloud.post("/v2/batch", &items.to_string()).await;
    assert_eq!(reply.status, StatusCode::OK);
    for (at, faulty) in [false, true, true, false, false, true, true]
        .into_iter()
        .enumerate()
    {
        assert_eq!(
            reply.json[at].get("error").is_some(),
            faulty,
            "{at}: {}",
            reply.json[at]
        );
    }
    assert!(reply.json[3].is_array());
    eventually("the others arrive", async || receiver.all().len() == 3).await;
    assert_eq!(receiver.at("/1")[0].method, "PUT");
    assert_eq!(cloud.get("/v2/queues/q").await.status, StatusCode::OK);
}

#[tokio::test]
async fn batch_with_a_malformed_item_is_refused_entirely() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    let good = json!({ "destination": receiver.url("/") });
    for bad in [
        json!({ "destination": receiver.url("/"), "headers": { "Upstash-Retries": "many" } }),
        json!({ "destination": receiver.url("/"), "headers": { "Upstash-Flow-Control-Key": "a:b" } }),
        json!({ "destination": receiver.url("/"), "headers": { "Upstash-Label": "a:b" } }),
        json!({ "destination": receiver.url("/"), "headers": { "Upstash-Deduplication-Id": "a:b" } }),
        json!({ "destination": receiver.url("/"), "headers": { "Upstash-Workflow-RunId": "wfr_1" } }),
        json!({ "destination": receiver.url("/"), "queue": "a:b" }),
        json!({ "destination": "ftp://example.com/" }),
        json!({ "body": "no destination" }),
        json!("not an item"),
    ] {
        let reply = cloud
            .post("/v2/batch", &json!([good, bad]).to_string())
            .await;
        reply.assert_refused(StatusCode::BAD_REQUEST, "message 1 of the batch");
    }
    a_while().await;
    assert!(
        receiver.all().is_empty(),
        "nothing of a malformed batch is sent"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_ten_thousand_items_arrive_exactly_once() {
    const COUNT: usize = 10_001;
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    let items: Vec<Value> = (0..COUNT)
        .map(|at| json!({ "destination": receiver.url("/"), "headers": { "Upstash-Label": "bulk" }, "body": at.to_string() }))
        .collect();
    let reply = cloud
        .post("/v2/batch", &Value::Array(items).to_string())
        .await;
    let ids: HashSet<&str> = reply
        .json
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["messageId"].as_str())
        .collect();
    assert_eq!(ids.len(), COUNT);
    eventually("all arrive", async || receiver.count() >= COUNT).await;
    let bodies: HashSet<_> = receiver.all().iter().map(|one| one.body.clone()).collect();
    assert_eq!((bodies.len(), receiver.all().len()), (COUNT, COUNT));
}

#[tokio::test]
async fn body_that_is_not_a_list_is_refused() {
    let cloud = Cloud::start(1.0).await;
    for body in ["", "{}", "[", "\u{feff}[]", "null"] {
        assert_eq!(
            cloud.post("/v2/batch", body).await.status,
            StatusCode::BAD_REQUEST,
            "{body}"
        );
    }
}
