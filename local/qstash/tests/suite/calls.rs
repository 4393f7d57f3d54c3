//! Calls that are refused, whatever they carry.

use http::{Method, StatusCode};
use serde_json::json;

use crate::harness::{Cloud, Receiver, eventually};

#[tokio::test]
async fn nobody_gets_in_without_the_token() {
    let cloud = Cloud::start(1.0).await;
    for headers in [
        &[][..],
        &[("Authorization", "Bearer wrong")],
        &[("Authorization", "Basic x")],
    ] {
        let reply = cloud.bare(Method::GET, "/v2/keys", headers).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert!(reply.json["error"].is_string());
    }
    let token = "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0%3D";
    assert_eq!(
        cloud
            .bare(Method::GET, &format!("/v2/keys?qstash_token={token}"), &[])
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_keys_are_those_by_which_the_sdk_knows_a_running_development_server() {
    let keys = Cloud::start(1.0).await.get("/v2/keys").await.json;
    let official = (
        "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
        "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs",
    );
    assert_eq!(keys, json!({ "current": official.0, "next": official.1 }));
}

#[tokio::test]
async fn malformed_publishes_are_refused_with_a_reason() {
    let cloud = Cloud::start(1.0).await;
    let publish = "/v2/publish/https://example.com";
    for (path, header) in [
        ("/v2/publish/ftp://example.com", ("X", "y")),
        ("/v2/publish/api/llm", ("X", "y")),
        ("/v2/publish/a%20b", ("X", "y")),
        ("/v2/enqueue/a%20b/https://example.com", ("X", "y")),
        (publish, ("Upstash-Delay", "tomorrow")),
        (publish, ("Upstash-Retries", "99999999999")),
        (publish, ("Upstash-Callback", "not a url")),
        (publish, ("Upstash-Retry-Delay", "exp(")),
        (publish, ("Upstash-Redact-Fields", "everything")),
        (publish, ("Upstash-Forward-X-A", "\u{7f}")),
        ("/v2/dlq?nonsense=1", ("X", "y")),
    ] {
        let method = if path.starts_with("/v2/dlq") {
            Method::GET
        } else {
            Method::POST
        };
        let reply = match http::HeaderValue::from_str(header.1) {
            Ok(_) => cloud.call(method, path, &[header], "x").await,
            Err(_) => continue,
        };
        assert_eq!(
            reply.status,
            StatusCode::BAD_REQUEST,
            "{path} {header:?}: {}",
            reply.json
        );
        assert!(reply.json["error"].is_string(), "{path}");
    }
    assert_eq!(cloud.get("/v2/nothing").await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        cloud.get("/v2/messages/nothing").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn calls_are_counted() {
    let cloud = Cloud::start(1.0).await;
    cloud.get("/v2/keys").await;
    cloud.get("/v2/nothing").await;
    assert_eq!(cloud.server.requests(), 2);
}

#[tokio::test]
async fn deliveries_under_way_are_counted_against_the_servers_own_limit() {
    let cloud = Cloud::start(1.0).await;
    let receiver =
        Receiver::start(|_, _| crate::harness::Answer::status(200).after_ms(60_000)).await;
    cloud.publish(&receiver.url("/"), &[], "").await;
    eventually("under way", async || receiver.all().len() == 1).await;
    assert_eq!(
        cloud.get("/v2/globalParallelism").await.json,
        json!({ "parallelismMax": 64, "parallelismCount": 1 })
    );
}
