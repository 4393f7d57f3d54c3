//! Subscriptions: every message once, in order, unchanged, and on its own channel.

use shared::protocol::upstash::{Command, Error, Message, Pipeline, Redis, Subscription};
use tokio::time::timeout;

use crate::support::cloud::TIMEOUT;
use crate::support::store::Store;

fn publish(channel: &str, payload: &str) -> Command {
    Command::new("PUBLISH").arg(channel).arg(payload)
}

async fn next(subscription: &mut Subscription) -> Option<Message> {
    timeout(TIMEOUT, subscription.next())
        .await
        .unwrap()
        .unwrap()
}

async fn say(redis: &Redis, channel: &str, payload: &str) {
    let receivers: i64 = redis.run(publish(channel, payload)).await.unwrap();
    assert_eq!(receivers, 1, "{channel:?} has no listener");
}

#[tokio::test]
async fn messages_arrive_on_their_own_channel_for_every_channel_name() {
    let channels = [
        "document:1",
        "a b",
        "a+b",
        "a/b",
        "a,b",
        "é 世界",
        "%2F",
        "?x=1",
        "#",
        "\u{1f600}",
        "...",
        "c",
        ",",
        "\"",
    ];
    let store = Store::start().await;
    let redis = store.client();
    let mut subscription = redis.subscribe(&channels).await.unwrap();
    for channel in channels {
        for payload in [
            "plain",
            "with, commas, many",
            ",",
            "",
            " spaces \t ",
            "{\"a\":[1,2]}",
            "Grüße \u{1f600}",
            "data: x",
        ] {
            say(&redis, channel, payload).await;
            let message = next(&mut subscription).await.unwrap();
            assert_eq!(
                (message.channel.as_str(), message.payload.as_str()),
                (channel, payload)
            );
        }
    }
}

#[tokio::test]
async fn ambiguous_channel_names_are_refused() {
    let store = Store::start().await;
    let redis = store.client();
    for (channels, why) in [
        (&["a", "a,b"][..], "'a,b,c' could be of either"),
        (&["a\nb"], "a line break ends the event"),
        (&[".."], "a path cannot carry it"),
        (&[""], "a path cannot carry it"),
        (&[], "no channel at all"),
    ] {
        let outcome = redis.subscribe(channels).await;
        assert!(
            matches!(outcome, Err(Error::Unsendable(_))),
            "{why}: {outcome:?}"
        );
    }
    assert_eq!(redis.usage().take().requests, 0, "something was sent");
}

#[tokio::test]
async fn ten_thousand_messages_arrive_complete_and_in_order() {
    const MESSAGES: usize = 10_000;
    let store = Store::start().await;
    let redis = store.client();
    let mut subscription = redis.subscribe(&["many"]).await.unwrap();
    let publisher = redis.clone();
    let publishing = tokio::spawn(async move {
        for start in (0..MESSAGES).step_by(500) {
            let batch = (start..start + 500).fold(Pipeline::new(), |batch, number| {
                batch.command(publish(
                    "many",
                    &format!("{number},{}", "x".repeat(number % 300)),
                ))
            });
            publisher.pipeline(batch).await.unwrap();
        }
    });
    for number in 0..MESSAGES {
        let message = next(&mut subscription).await.unwrap();
        assert_eq!(
            message.payload,
            format!("{number},{}", "x".repeat(number % 300))
        );
    }
    publishing.await.unwrap();
}

#[tokio::test]
async fn each_listener_gets_every_message_and_a_departed_one_none() {
    let store = Store::start().await;
    let redis = store.client();
    let mut first = redis.subscribe(&["c"]).await.unwrap();
    let second = redis.subscribe(&["c"]).await.unwrap();
    drop(second);
    let left = async {
        // The front notices that a listener has left; until then it is counted.
        while redis.run::<i64>(publish("c", "noise")).await.unwrap() != 1 {}
    };
    timeout(TIMEOUT, left).await.unwrap();
    say(&redis, "c", "news").await;
    while next(&mut first).await.unwrap().payload != "news" {}
}

#[tokio::test]
async fn stream_ended_by_the_store_is_over_and_a_cut_stream_is_an_error() {
    let store = Store::start().await;
    let mut ended = store.client().subscribe(&["c"]).await.unwrap();
    let front = store.lose_server().await;
    assert_eq!(
        next(&mut ended).await,
        None,
        "redis has closed the connection"
    );
    front.stop().await;

    let store = Store::start().await;
    let mut cut = store.client().subscribe(&["c"]).await.unwrap();
    store.front.stop().await;
    let outcome = timeout(TIMEOUT, cut.next()).await.unwrap();
    assert!(
        matches!(outcome, Err(Error::Transport { .. })),
        "{outcome:?}"
    );
}
