//! Messages to every endpoint of a group.

use http::{Method, StatusCode};
use serde_json::json;

use crate::harness::{Answer, Cloud, Receiver, eventually};

#[tokio::test]
async fn every_endpoint_gets_its_own_message_with_the_groups_headers() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    let endpoints = json!({ "endpoints": [{ "name": "one", "url": receiver.url("/1") }, { "url": receiver.url("/2") }] });
    assert_eq!(
        cloud
            .post("/v2/topics/group/endpoints", &endpoints.to_string())
            .await
            .status,
        StatusCode::OK
    );
    cloud
        .call(
            Method::PATCH,
            "/v2/topics/group",
            &[],
            r#"{"headers":{"x-group":["g"]}}"#,
        )
        .await;
    let reply = cloud.post("/v2/publish/group", "hello").await;
    assert_eq!(reply.json.as_array().map(Vec::len), Some(2));
    assert_eq!(reply.json[0]["url"], receiver.url("/1"));
    eventually("both delivered", async || receiver.all().len() == 2).await;
    let second = &receiver.at("/2")[0];
    assert_eq!(
        (
            second.header("upstash-topic-name"),
            second.header("x-group")
        ),
        ("group", "g")
    );
}

#[tokio::test]
async fn endpoints_are_merged_by_name_and_removed() {
    let cloud = Cloud::start(1.0).await;
    let path = "/v2/topics/group/endpoints";
    cloud
        .post(
            path,
            r#"{"endpoints":[{"name":"a","url":"https://example.com/1"}]}"#,
        )
        .await;
    cloud.post(path, r#"{"endpoints":[{"name":"a","url":"https://example.com/2"},{"name":"b","url":"https://example.com/3"}]}"#).await;
    let group = cloud.get("/v2/topics/group").await.json;
    assert_eq!(group["endpoints"][0]["url"], "https://example.com/2");
    assert_eq!(group["endpoints"].as_array().map(Vec::len), Some(2));
    cloud
        .call(Method::DELETE, path, &[], r#"{"endpoints":[{"name":"a"}]}"#)
        .await;
    assert_eq!(
        cloud.get("/v2/topics").await.json[0]["endpoints"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn unknown_group_is_not_found_and_a_malformed_endpoint_refused() {
    let cloud = Cloud::start(1.0).await;
    assert_eq!(
        cloud.post("/v2/publish/nobody", "").await.status,
        StatusCode::NOT_FOUND
    );
    let deleted = cloud.delete("/v2/topics/nobody").await;
    assert_eq!(deleted.status, StatusCode::OK, "it is deleted already");
    let faulty = r#"{"endpoints":[{"url":"ftp://example.com"}]}"#;
    assert_eq!(
        cloud
            .post("/v2/topics/group/endpoints", faulty)
            .await
            .status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        cloud.get("/v2/topics/group").await.status,
        StatusCode::NOT_FOUND
    );
}
