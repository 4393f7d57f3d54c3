//! Streams that no store sends.

use tokio::time::timeout;

use super::server::{http, ok, reciting};
use crate::support::cloud::TIMEOUT;

#[tokio::test]
async fn subscription_with_a_malformed_stream_ends_in_an_error() {
    let stream = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let endless = format!(
        "{stream}data: subscribe,c,1\n\ndata: message,c,{}",
        "x".repeat(2 << 20)
    );
    for (answer, stays, why) in [
        (ok("<html>Welcome</html>"), false, "a page"),
        (format!("{stream}data: hello\n\n"), true, "another greeting"),
        (stream.to_owned(), false, "ended before it began"),
        (stream.to_owned(), true, "channels that are never confirmed"),
        (
            format!("{stream}{}", "x".repeat(2 << 20)),
            true,
            "an endless first line",
        ),
        (endless, true, "an endless message"),
        (
            http("400 Bad Request", "", "{\"error\":\"ERR no\"}"),
            false,
            "refused",
        ),
        (
            http("502 Bad Gateway", "", "<html>"),
            false,
            "a gateway's page",
        ),
        (String::new(), true, "silence"),
    ] {
        let redis = reciting(answer, stays).await;
        let listening = async { redis.subscribe(&["c"]).await?.next().await };
        let outcome = timeout(TIMEOUT, listening)
            .await
            .unwrap_or_else(|_| panic!("{why}: hangs"));
        assert!(outcome.is_err(), "{why}: {outcome:?}");
    }
}

#[tokio::test]
async fn irrelevant_events_are_ignored() {
    let events = "data: subscribe,c,1\r\n\r\n: comment\n\nevent: x\nid: 7\ndata:message,c,no space\n\
        data: message,other,not ours\ndata: pmessage,*,c,no\ndata: \ndata: message,c,yes\r\n\r\ndata: message,c,cut";
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{events}"
    );
    let redis = reciting(answer, false).await;
    let mut subscription = redis.subscribe(&["c"]).await.unwrap();
    assert_eq!(subscription.next().await.unwrap().unwrap().payload, "yes");
    assert_eq!(
        subscription.next().await.unwrap(),
        None,
        "half an event is none"
    );
}
