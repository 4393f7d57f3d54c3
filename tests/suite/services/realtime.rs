//! `realtime::publish`: one event, identical in the stream, over pub/sub and under the status key.

use std::collections::HashMap;

use local_redis_rest::Fault;
use serde_json::{Value, json};
use shared::protocol::upstash::{Command, Redis, Subscription};
use shared::service::realtime::{Channel, publish};
use tokio::time::timeout;

use crate::support::cloud::TIMEOUT;
use crate::support::store::Store;

const CHANNEL: Channel<'_> = Channel::Document("request-1");
const STREAM: &str = "events:document:request-1";
const STATUS: &str = "doc_status:request-1";

/// Returns the stream's entries with their ids, oldest first.
async fn entries(store: &Store, stream: &str) -> Vec<(String, HashMap<String, String>)> {
    redis::cmd("XRANGE")
        .arg(stream)
        .arg("-")
        .arg("+")
        .query_async(&mut store.direct().await)
        .await
        .unwrap()
}

async fn get(redis: &Redis, key: &str) -> Value {
    let text: String = redis.run(Command::new("GET").arg(key)).await.unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Returns an id as a position: milliseconds and a number.
fn place(id: &str) -> (u64, u64) {
    let (millis, number) = id.split_once('-').unwrap();
    (millis.parse().unwrap(), number.parse().unwrap())
}

#[tokio::test]
async fn event_is_equal_in_stream_listeners_and_status_key() {
    let store = Store::start().await;
    let redis = store.client();
    // A store without the script wakes listeners twice.
    publish(&redis, Channel::Document("warm"), "warm", &json!({}))
        .await
        .unwrap();
    for (channel, name, status) in [
        (CHANNEL, "document:request-1", STATUS),
        (
            Channel::SigningProgress("request-1"),
            "signature_progress:request-1",
            "progress:request-1",
        ),
    ] {
        let mut listener = redis.subscribe(&[name]).await.unwrap();
        for data in hostile() {
            let kind = format!("kind of \"{data}\",\n\u{2028}");
            let id = publish(&redis, channel, &kind, &data).await.unwrap();
            let event = json!({ "id": id, "type": kind, "data": data });
            let heard = timeout(TIMEOUT, listener.next())
                .await
                .unwrap()
                .unwrap()
                .unwrap();
            assert_eq!(heard.channel, name);
            assert_eq!(
                serde_json::from_str::<Value>(&heard.payload).unwrap(),
                json!({ "type": kind, "data": data })
            );
            assert_eq!(get(&redis, status).await, event);
            let (kept, fields) = entries(&store, &format!("events:{name}"))
                .await
                .pop()
                .unwrap();
            assert_eq!((&kept, &fields["type"]), (&id, &kind));
            assert_eq!(
                serde_json::from_str::<Value>(&fields["data"]).unwrap(),
                data
            );
        }
    }
}

/// Returns data that would break careless handling of JSON, Lua or an event's line.
fn hostile() -> Vec<Value> {
    vec![
        json!({}),
        json!(null),
        json!([]),
        json!("\"},\"type\":\"forged\""),
        json!({ "a": "line\nbreak\r\n\ndata: message,document:request-1,forged" }),
        json!({ "commas": ",,,", "nul": "\0", "unicode": "Grüße \u{1f600} \u{2028}", "lua": "]] .. KEYS[1] --" }),
        json!({ "empty": { "list": [], "object": {} }, "big": u64::MAX, "small": i64::MIN, "fraction": 0.1 }),
        json!({ "long": "x".repeat(200_000) }),
    ]
}

#[tokio::test]
async fn publishing_is_one_request_and_leaves_only_expiring_keys() {
    let store = Store::start().await;
    let redis = store.client();
    publish(&redis, CHANNEL, "warm", &json!({})).await.unwrap();
    let before = store.front.requests();
    publish(&redis, CHANNEL, "viewed", &json!({}))
        .await
        .unwrap();
    assert_eq!(store.front.requests() - before, 1);
    for key in [STREAM, STATUS] {
        let life: i64 = redis.run(Command::new("TTL").arg(key)).await.unwrap();
        assert!((1..=7200).contains(&life), "{key} lives for {life} s");
    }
    let keys: usize = redis::cmd("DBSIZE")
        .query_async(&mut store.direct().await)
        .await
        .unwrap();
    assert_eq!(keys, 2, "publishing leaves nothing else");
}

#[tokio::test]
async fn stream_is_capped_and_its_ids_grow() {
    let store = Store::start().await;
    let redis = store.client();
    let mut last = (0, 0);
    for number in 0..600 {
        let id = publish(&redis, CHANNEL, "viewed", &json!({ "number": number }))
            .await
            .unwrap();
        assert!(place(&id) > last, "{id} after {last:?}");
        last = place(&id);
    }
    let kept = entries(&store, STREAM).await;
    assert!(
        (256..456).contains(&kept.len()),
        "{} entries are kept",
        kept.len()
    );
    let data: Value = serde_json::from_str(&kept.last().unwrap().1["data"]).unwrap();
    assert_eq!(data["number"], 599, "the newest stays");
}

#[tokio::test]
async fn event_with_a_lost_answer_is_published_once_despite_concurrent_publishers() {
    let store = Store::start().await;
    let redis = store.client();
    let (_front, other) = store.other_front().await;
    let mut listener = redis.subscribe(&["document:request-1"]).await.unwrap();
    let mut published = Vec::new();
    for round in 0..10 {
        store
            .front
            .faults()
            .set_for_next(1 + round % 2, Fault::CutAnswer);
        let data = json!({ "round": round });
        let lost = publish(&redis, CHANNEL, "signed", &data);
        let meanwhile = async {
            // The event of the lost reply exists before its repetition: these are published in between.
            while entries(&store, STREAM).await.len() <= published.len() {}
            let mut ids = Vec::new();
            for _ in 0..3 {
                ids.push(publish(&other, CHANNEL, "viewed", &data).await.unwrap());
            }
            ids
        };
        let (lost, between) = tokio::join!(lost, meanwhile);
        published.push(lost.unwrap());
        published.extend(between);
    }
    assert!(
        published.is_sorted_by(|one, next| place(one) < place(next)),
        "{published:?}"
    );
    let kept: Vec<String> = entries(&store, STREAM)
        .await
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(
        kept, published,
        "each event is stored once, under the returned id"
    );
    // A repeated call wakes its listeners again.
    for _ in published {
        wake(&mut listener).await;
    }
}

async fn wake(listener: &mut Subscription) -> Value {
    let heard = timeout(TIMEOUT, listener.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    serde_json::from_str(&heard.payload).unwrap()
}

#[tokio::test]
async fn listener_is_woken_after_an_event_whose_script_was_not_cached() {
    let store = Store::start().await;
    let redis = store.client();
    let mut listener = redis.subscribe(&["document:request-1"]).await.unwrap();
    store.front.faults().set_for_next(1, Fault::NoScript);
    publish(&redis, CHANNEL, "signed", &json!({}))
        .await
        .unwrap();
    // The first wake-up came before the event existed.
    wake(&mut listener).await;
    wake(&mut listener).await;
    assert_eq!(entries(&store, STREAM).await.len(), 1);
}
