//! Calls that are rejected with any content.

use http::{Method, StatusCode};
use serde_json::json;

use crate::harness::{Cloud, Receiver, eventually};

#[tokio::test]
async fn call_without_the_token_is_refused() {
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
async fn keys_are_those_of_the_official_development_server() {
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
        (publish, ("Upstash-Flow-Control-Key", "email:high:acme")),
        (publish, ("Upstash-Label", "a:b")),
        (publish, ("Upstash-Deduplication-Id", "a:b")),
        (publish, ("Upstash-Queue-Name", "a:b")),
        (publish, ("Upstash-Timeout", "0s")),
        (publish, ("Upstash-Workflow-RunId", "wfr_1")),
        ("/v2/publish/my.group", ("X", "y")),
        ("/v2/enqueue/a:b/https://example.com", ("X", "y")),
        ("/v2/dlq?nonsense=1", ("X", "y")),
        ("/v2/dlq?count=101", ("X", "y")),
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
async fn running_deliveries_count_against_the_servers_own_limit() {
    let cloud = Cloud::start(1.0).await;
    let receiver =
        Receiver::start(|_, _| crate::harness::Answer::status(200).after_ms(60_000)).await;
    cloud.publish(&receiver.url("/"), &[], "").await;
    eventually("under way", async || receiver.all().len() == 1).await;
    assert_eq!(
        cloud.get("/v2/globalParallelism").await.json,
        json!({ "parallelismMax": 100, "parallelismCount": 1 })
    );
}

#[tokio::test]
async fn name_outside_the_alphabet_is_refused_on_creation() {
    let cloud = Cloud::start(1.0).await;
    let endpoints = json!({ "endpoints": [{ "url": "https://example.com/" }] }).to_string();
    let dotted = cloud.post("/v2/topics/my.group/endpoints", &endpoints);
    dotted
        .await
        .assert_refused(StatusCode::BAD_REQUEST, "my.group");
    for name in ["a:b", "a@b", &"x".repeat(129)] {
        let queue = json!({ "queueName": name }).to_string();
        let refused = cloud.post("/v2/queues", &queue).await;
        refused.assert_refused(StatusCode::BAD_REQUEST, name);
        let headers = [("Upstash-Cron", "0 6 * * *"), ("Upstash-Schedule-Id", name)];
        let path = "/v2/schedules/https://example.com/";
        let refused = cloud.call(Method::POST, path, &headers, "").await;
        refused.assert_refused(StatusCode::BAD_REQUEST, name);
    }
}

#[tokio::test]
async fn workflow_endpoints_are_reported_as_not_implemented() {
    let cloud = Cloud::start(1.0).await;
    for path in [
        "/v2/trigger/https://example.com/",
        "/v2/batch/trigger",
        "/v2/notify/event",
        "/v2/waiters/event",
        "/v2/workflows/logs",
    ] {
        let refused = cloud.post(path, "").await;
        refused.assert_refused(StatusCode::BAD_REQUEST, "Workflow");
    }
    let header = [("Upstash-Workflow-Init", "true")];
    let path = "/v2/publish/https://example.com/";
    let refused = cloud.call(Method::POST, path, &header, "").await;
    refused.assert_refused(StatusCode::BAD_REQUEST, "Workflow");
}

#[tokio::test]
async fn management_calls_beyond_the_seconds_limit_are_refused_and_publishing_is_not() {
    let cloud = Cloud::start(1.0).await;
    let mut refused = None;
    // A second may end in between: the next one allows a hundred more.
    for _ in 0..1_000 {
        let reply = cloud.get("/v2/keys").await;
        assert_eq!(reply.number("burst-ratelimit-limit"), 100);
        if reply.status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(reply);
            break;
        }
    }
    let refused = refused.expect("more than a hundred calls in one second");
    refused.assert_refused(StatusCode::TOO_MANY_REQUESTS, "second");
    assert_eq!(refused.number("burst-ratelimit-remaining"), 0);
    assert!(refused.number("burst-ratelimit-reset") > 1_700_000_000);
    cloud
        .publish("https://example.com/", &[("Upstash-Delay", "1h")], "")
        .await;
}
