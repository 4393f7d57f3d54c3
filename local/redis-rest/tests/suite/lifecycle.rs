//! Starting, surviving a restart of Redis, and stopping.

use std::time::Duration;

use hyper::StatusCode;
use local_redis_rest::{Error, start};
use serde_json::json;

use crate::client::Client;
use crate::server::{Redis, Server, TOKEN, settings};

#[tokio::test]
async fn restarted_redis_is_found_again_and_a_missing_one_is_503() {
    let mut server = Server::start().await;
    let client = server.client();
    assert_eq!(
        client.command(r#"["PING"]"#).await.json(),
        json!({"result": "PONG"})
    );
    let front = server.front;
    let address = server.redis.address;
    drop(server.redis);
    assert_eq!(
        client.command(r#"["PING"]"#).await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    server.redis = Redis::start_on(address).unwrap();
    assert_eq!(
        client.command(r#"["PING"]"#).await.json(),
        json!({"result": "PONG"})
    );
    front.stop().await;
}

#[tokio::test]
async fn front_without_redis_or_token_does_not_start() {
    let redis = Redis::start();
    let mut nameless = settings(redis.address);
    nameless.token.clear();
    assert!(matches!(start(nameless).await, Err(Error::EmptyToken)));
    let gone = redis.address;
    drop(redis);
    assert!(matches!(
        start(settings(gone)).await,
        Err(Error::Redis { .. })
    ));
}

#[tokio::test]
async fn stopped_front_frees_its_port_even_with_an_open_stream() {
    let server = Server::start().await;
    let url = server.front.url();
    let stream = Client::new(&url, TOKEN)
        .open("POST", "/subscribe/room", "[]")
        .await
        .unwrap();
    let stopped = tokio::time::timeout(Duration::from_secs(30), server.front.stop()).await;
    assert!(stopped.is_ok());
    let mut again = settings(server.redis.address);
    again.listen = url.strip_prefix("http://").unwrap().parse().unwrap();
    assert_eq!(start(again).await.unwrap().url(), url);
    drop(stream);
}
