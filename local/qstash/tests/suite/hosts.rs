//! The allowed hosts of messages.

use http::{Method, StatusCode};
use serde_json::json;

use crate::harness::{Answer, Cloud, Receiver, eventually};

#[tokio::test]
async fn destination_unreachable_for_the_real_service_is_refused() {
    let cloud = Cloud::start(1.0).await;
    for (url, word) in [
        ("https://nobody.invalid/", "unable to resolve host"),
        ("http://10.1.2.3/", "not a public address"),
        ("http://169.254.169.254/latest", "not a public address"),
        ("http://[fd00::1]/", "not a public address"),
    ] {
        let refused = cloud.post(&format!("/v2/publish/{url}"), "").await;
        refused.assert_refused(StatusCode::BAD_REQUEST, word);
        let cron = [("Upstash-Cron", "0 6 * * *")];
        let path = format!("/v2/schedules/{url}");
        let refused = cloud.call(Method::POST, &path, &cron, "").await;
        refused.assert_refused(StatusCode::BAD_REQUEST, word);
        let endpoints = json!({ "endpoints": [{ "url": url }] }).to_string();
        let refused = cloud.post("/v2/topics/group/endpoints", &endpoints).await;
        refused.assert_refused(StatusCode::BAD_REQUEST, word);
    }
}

#[tokio::test]
async fn loopback_is_refused_unless_allowed_by_setting() {
    let receiver = Receiver::start(|_, _| Answer::status(200)).await;
    let strict = Cloud::start_with(|settings| settings.hosts.loopback = false).await;
    let path = format!("/v2/publish/{}", receiver.url("/"));
    let refused = strict.post(&path, "").await;
    refused.assert_refused(StatusCode::BAD_REQUEST, "loopback");
    let local = Cloud::start(1.0).await;
    local.publish(&receiver.url("/"), &[], "").await;
    eventually("delivered", async || receiver.count() == 1).await;
}

#[tokio::test]
async fn listed_host_is_delivered_to_its_address_under_its_own_name() {
    let receiver = Receiver::start(|_, _| Answer::status(200)).await;
    let address = receiver.url("").replace("http://", "");
    let cloud = Cloud::start_with(move |settings| {
        let address = address.parse().expect("an address");
        settings.hosts.known.insert("app.test".to_owned(), address);
    })
    .await;
    cloud.publish("https://app.test/a/b?c=d", &[], "x").await;
    eventually("delivered", async || receiver.count() == 1).await;
    let arrived = &receiver.at("/a/b?c=d")[0];
    assert_eq!(arrived.header("host"), "app.test");
}
