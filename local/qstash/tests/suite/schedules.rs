//! Scheduled messages.

use http::{Method, StatusCode};
use serde_json::json;

use crate::harness::{Answer, Cloud, Receiver, Reply, a_while, eventually};

async fn schedule(cloud: &Cloud, url: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    cloud
        .call(Method::POST, &format!("/v2/schedules/{url}"), headers, body)
        .await
}

#[tokio::test]
async fn schedule_delivers_at_its_times() {
    let (cloud, receiver) = (
        Cloud::start(600.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    let headers = [
        ("Upstash-Cron", "* * * * *"),
        ("Upstash-Schedule-Id", "every-minute"),
        ("Upstash-Forward-X-A", "b"),
    ];
    assert_eq!(
        schedule(&cloud, &receiver.url("/tick"), &headers, "body")
            .await
            .text("scheduleId"),
        "every-minute"
    );
    eventually("three times", async || receiver.at("/tick").len() >= 3).await;
    let tick = &receiver.at("/tick")[1];
    assert_eq!(
        (tick.header("upstash-schedule-id"), tick.header("x-a")),
        ("every-minute", "b")
    );
    assert_eq!(tick.body.as_ref(), b"body");
    let shown = cloud.get("/v2/schedules/every-minute").await.json;
    let time = |name: &str| {
        shown[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name} is missing in {shown}"))
    };
    assert_eq!(time("nextScheduleTime") % 60_000, 0);
    assert!(time("lastScheduleTime") < time("nextScheduleTime"));
    assert_eq!(
        shown["lastScheduleStates"]
            .as_object()
            .map(serde_json::Map::len),
        Some(1)
    );
}

#[tokio::test]
async fn schedule_with_the_same_id_is_replaced() {
    let cloud = Cloud::start(1.0).await;
    let first = [
        ("Upstash-Cron", "1 1 1 1 1"),
        ("Upstash-Schedule-Id", "one"),
    ];
    schedule(&cloud, "https://example.com/a", &first, "body").await;
    let again = [
        ("Upstash-Cron", "CRON_TZ=Europe/Berlin 0 6 * * *"),
        ("Upstash-Schedule-Id", "one"),
    ];
    schedule(&cloud, "https://example.com/b", &again, "").await;
    let listed = cloud.get("/v2/schedules").await.json;
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(listed[0]["destination"], "https://example.com/b");
    assert_eq!(listed[0]["cron"], "CRON_TZ=Europe/Berlin 0 6 * * *");
    assert_eq!(listed[0].get("body"), None);
}

#[tokio::test]
async fn paused_schedule_skips_its_times() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    schedule(
        &cloud,
        &receiver.url("/"),
        &[("Upstash-Cron", "* * * * *"), ("Upstash-Schedule-Id", "s")],
        "",
    )
    .await;
    assert_eq!(
        cloud
            .call(Method::PATCH, "/v2/schedules/s/pause", &[], "")
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(cloud.get("/v2/schedules/s").await.json["isPaused"], true);
    cloud.server.set_speed(6_000.0);
    a_while().await;
    assert!(receiver.all().is_empty());
    cloud.post("/v2/schedules/s/resume", "").await;
    eventually("deliveries continue", async || !receiver.all().is_empty()).await;
}

#[tokio::test]
async fn schedule_continues_after_a_restart() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    schedule(
        &cloud,
        &receiver.url("/"),
        &[("Upstash-Cron", "* * * * *")],
        "",
    )
    .await;
    let cloud = cloud.restart(false, 600.0).await;
    eventually("it delivers", async || receiver.all().len() >= 2).await;
    assert_eq!(
        cloud
            .get("/v2/schedules")
            .await
            .json
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn deleted_schedule_delivers_no_more() {
    let (cloud, receiver) = (
        Cloud::start(1.0).await,
        Receiver::start(|_, _| Answer::status(200)).await,
    );
    schedule(
        &cloud,
        &receiver.url("/"),
        &[("Upstash-Cron", "* * * * *"), ("Upstash-Schedule-Id", "s")],
        "",
    )
    .await;
    assert_eq!(cloud.delete("/v2/schedules/s").await.status, StatusCode::OK);
    assert_eq!(
        cloud.delete("/v2/schedules/s").await.status,
        StatusCode::NOT_FOUND
    );
    cloud.server.set_speed(6_000.0);
    a_while().await;
    assert!(receiver.all().is_empty());
}

#[tokio::test]
async fn schedule_that_never_fires_is_refused() {
    let cloud = Cloud::start(1.0).await;
    for cron in ["", "* * * *", "0 0 30 2 *", "CRON_TZ=Nowhere * * * * *"] {
        let reply = schedule(&cloud, "https://example.com", &[("Upstash-Cron", cron)], "").await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{cron}");
    }
    assert_eq!(cloud.get("/v2/schedules").await.json, json!([]));
}
