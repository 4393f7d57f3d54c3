//! Subscriptions and MONITOR as server-sent events.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::Incoming;
use local_redis_rest::Fault;
use serde_json::json;

use crate::server::Server;

/// Reads events as they arrive, without comments.
struct Events {
    body: Incoming,
    read: String,
}

impl Events {
    async fn open(server: &Server, target: &str) -> Self {
        let client = server.client().with_header("accept", "text/event-stream");
        let answer = client
            .with_header("upstash-encoding", "base64")
            .open("POST", target, "[]")
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self {
            body: answer.into_body(),
            read: String::new(),
        }
    }

    async fn next(&mut self) -> String {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                return event;
            }
            let frame = tokio::time::timeout(Duration::from_secs(30), self.body.frame())
                .await
                .unwrap();
            let data = frame.unwrap().unwrap().into_data().unwrap();
            self.read.push_str(std::str::from_utf8(&data).unwrap());
        }
    }
}

#[tokio::test]
async fn subscriber_sees_messages_published_after_its_first_event() {
    let server = Server::start().await;
    let mut events = Events::open(&server, "/subscribe/room/other%20room").await;
    assert_eq!(events.next().await, "data: subscribe,room,1");
    assert_eq!(events.next().await, "data: subscribe,other room,2");
    let receivers = server.client().send("POST", "/publish/room/a,b", "").await;
    assert_eq!(receivers.json(), json!({"result": 1}));
    server
        .client()
        .command(r#"["PUBLISH","other room","{\"é\":\"\\n\"}"]"#)
        .await;
    assert_eq!(events.next().await, "data: message,room,a,b");
    assert_eq!(
        events.next().await,
        "data: message,other room,{\"é\":\"\\n\"}"
    );
}

#[tokio::test]
async fn pattern_subscriber_receives_the_matching_channel() {
    let server = Server::start().await;
    let mut events = Events::open(&server, "/psubscribe/user:*").await;
    assert_eq!(events.next().await, "data: psubscribe,user:*,1");
    server
        .client()
        .command(r#"["PUBLISH","user:7","hi"]"#)
        .await;
    assert_eq!(events.next().await, "data: pmessage,user:*,user:7,hi");
}

#[tokio::test]
async fn departed_subscriber_is_removed_from_redis() {
    let server = Server::start().await;
    let mut events = Events::open(&server, "/subscribe/room").await;
    events.next().await;
    drop(events);
    for _ in 0..500 {
        if server
            .client()
            .command(r#"["PUBLISH","room","x"]"#)
            .await
            .json()
            == json!({"result": 0})
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the subscription outlived its subscriber");
}

#[tokio::test]
async fn monitor_shows_commands_as_they_run() {
    let server = Server::start().await;
    let mut events = Events::open(&server, "/monitor").await;
    assert_eq!(events.next().await, "data: \"OK\"");
    server.client().command(r#"["GET","watched"]"#).await;
    assert!(events.next().await.ends_with("\"GET\" \"watched\""));
}

#[tokio::test]
async fn cut_stream_breaks_inside_its_first_event() {
    let server = Server::start().await;
    server.front.faults().set_for_next(1, Fault::CutAnswer);
    let mut body = server
        .client()
        .open("POST", "/subscribe/room", "[]")
        .await
        .unwrap()
        .into_body();
    let mut seen = Vec::new();
    let failed = loop {
        match body.frame().await {
            Some(Ok(frame)) => seen.extend(frame.into_data().unwrap()),
            other => break matches!(other, Some(Err(_))),
        }
    };
    assert!(failed);
    assert!(b"data: subscribe,room,1".starts_with(&seen[..]));
}
