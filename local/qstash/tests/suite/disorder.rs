//! Optional duplicates and reordering.

use std::collections::HashSet;

use http::{Method, StatusCode};
use local_qstash::Disorder;
use serde_json::{Value, json};

use crate::harness::{Answer, Cloud, Receiver, a_while, eventually};

const COUNT: usize = 60;

async fn disordered(duplicates: u8, reordered: u8) -> Cloud {
    Cloud::start_with(move |settings| {
        settings.disorder = Some(Disorder {
            seed: 7,
            duplicates,
            reordered,
        });
    })
    .await
}

async fn batch(cloud: &Cloud, item: impl Fn(usize) -> Value) {
    let items: Vec<Value> = (0..COUNT).map(item).collect();
    let reply = cloud.post("/v2/batch", &json!(items).to_string()).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.json);
}

fn numbers(receiver: &Receiver) -> Vec<usize> {
    let text = |body: &[u8]| String::from_utf8_lossy(body).into_owned();
    let all = receiver.all();
    all.iter()
        .map(|one| text(&one.body).parse().expect("a number"))
        .collect()
}

#[tokio::test]
async fn disorder_delivers_some_messages_twice_under_the_same_id_and_loses_none() {
    let cloud = disordered(50, 0).await;
    let receiver = Receiver::start(|_, _| Answer::status(200)).await;
    batch(
        &cloud,
        |at| json!({ "destination": receiver.url("/"), "body": at.to_string() }),
    )
    .await;
    let delivered = async || {
        let page = cloud.get("/v2/logs?state=DELIVERED").await.json;
        page["logs"].as_array().expect("logs").len()
    };
    eventually("all are done", async || delivered().await == COUNT).await;
    let ids: HashSet<String> = receiver
        .all()
        .iter()
        .map(|one| one.header("upstash-message-id").to_owned())
        .collect();
    assert_eq!(ids.len(), COUNT);
    assert!(receiver.count() > COUNT + 10, "{}", receiver.count());
    assert!(
        receiver
            .all()
            .iter()
            .all(|one| one.header("upstash-retried") == "0")
    );
}

#[tokio::test]
async fn disorder_reorders_messages_but_not_those_of_a_queue() {
    let cloud = disordered(0, 50).await;
    let receiver = Receiver::start(|_, _| Answer::status(200)).await;
    batch(
        &cloud,
        |at| json!({ "destination": receiver.url("/"), "body": at.to_string() }),
    )
    .await;
    eventually("all arrive", async || receiver.count() == COUNT).await;
    let late = |numbers: &[usize]| numbers.windows(2).filter(|two| two[0] > two[1]).count();
    assert!(late(&numbers(&receiver)) > 5, "{:?}", numbers(&receiver));

    let ordered = Receiver::start(|_, _| Answer::status(200)).await;
    for at in 0..20 {
        let path = format!("/v2/enqueue/line/{}", ordered.url("/"));
        cloud.call(Method::POST, &path, &[], at.to_string()).await;
    }
    eventually("the queue arrives", async || ordered.count() == 20).await;
    assert_eq!(late(&numbers(&ordered)), 0, "{:?}", numbers(&ordered));
}

#[tokio::test]
async fn messages_without_disorder_are_not_duplicated() {
    let cloud = Cloud::start(1.0).await;
    let receiver = Receiver::start(|_, _| Answer::status(200)).await;
    batch(
        &cloud,
        |at| json!({ "destination": receiver.url("/"), "body": at.to_string() }),
    )
    .await;
    eventually("all arrive", async || receiver.count() >= COUNT).await;
    a_while().await;
    assert_eq!(receiver.count(), COUNT);
}
