//! The limits of an account's plan.

use http::{Method, StatusCode};
use local_qstash::Plan;
use serde_json::json;

use crate::harness::{Answer, Cloud, Receiver, Reply, eventually};

const SOMEWHERE: &str = "https://example.com/";

/// A delay long enough that no delivery happens during a test.
const LATER: (&str, &str) = ("Upstash-Delay", "1h");

async fn on(plan: Plan) -> Cloud {
    Cloud::start_with(move |settings| settings.plan = plan).await
}

async fn publish(cloud: &Cloud, headers: &[(&str, &str)], body: Vec<u8>) -> Reply {
    let path = format!("/v2/publish/{SOMEWHERE}");
    cloud.call(Method::POST, &path, headers, body).await
}

#[tokio::test]
async fn message_larger_than_the_plan_allows_is_refused() {
    for (plan, mebibytes) in [(Plan::Free, 1), (Plan::PayAsYouGo, 10)] {
        let cloud = on(plan).await;
        let most = mebibytes * 1024 * 1024;
        let taken = publish(&cloud, &[LATER], vec![b'x'; most]).await;
        assert_eq!(taken.status, StatusCode::OK, "{plan}: {}", taken.json);
        let refused = publish(&cloud, &[LATER], vec![b'x'; most + 1]).await;
        refused.assert_refused(StatusCode::PRECONDITION_FAILED, "bytes");
    }
}

#[tokio::test]
async fn delay_retries_and_not_before_beyond_the_plan_are_refused() {
    let cloud = on(Plan::Free).await;
    let far = "4102444800"; // the year 2100
    for (name, value) in [
        ("Upstash-Delay", "8d"),
        ("Upstash-Not-Before", far),
        ("Upstash-Retries", "1000"),
    ] {
        let refused = publish(&cloud, &[(name, value)], Vec::new()).await;
        refused.assert_refused(StatusCode::PRECONDITION_FAILED, name);
    }
    let taken = publish(
        &cloud,
        &[("Upstash-Delay", "7d"), ("Upstash-Retries", "999")],
        Vec::new(),
    );
    assert_eq!(taken.await.status, StatusCode::OK);
    let fixed = on(Plan::Fixed).await;
    let taken = publish(&fixed, &[("Upstash-Not-Before", far)], Vec::new()).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.json);
}

#[tokio::test]
async fn schedule_beyond_the_plans_number_is_refused_and_an_old_one_is_replaced() {
    let cloud = on(Plan::Free).await;
    let create = async |id: &str| {
        let headers = [("Upstash-Cron", "0 6 * * *"), ("Upstash-Schedule-Id", id)];
        let path = format!("/v2/schedules/{SOMEWHERE}");
        cloud.call(Method::POST, &path, &headers, "").await
    };
    for at in 0..10 {
        assert_eq!(create(&format!("s{at}")).await.status, StatusCode::OK);
    }
    let refused = create("s10").await;
    refused.assert_refused(StatusCode::PRECONDITION_FAILED, "10 schedules");
    assert_eq!(create("s3").await.status, StatusCode::OK);
}

#[tokio::test]
async fn queue_beyond_the_plans_number_or_parallelism_is_refused() {
    let cloud = on(Plan::Free).await;
    let upsert = async |name: &str, parallelism: u32| {
        let queue = json!({ "queueName": name, "parallelism": parallelism });
        cloud.post("/v2/queues", &queue.to_string()).await
    };
    let refused = upsert("q0", 3).await;
    refused.assert_refused(StatusCode::PRECONDITION_FAILED, "parallelism");
    for at in 0..10 {
        assert_eq!(upsert(&format!("q{at}"), 2).await.status, StatusCode::OK);
    }
    let refused = upsert("q10", 1).await;
    refused.assert_refused(StatusCode::PRECONDITION_FAILED, "10 queues");
    let path = format!("/v2/enqueue/q10/{SOMEWHERE}");
    let refused = cloud.call(Method::POST, &path, &[LATER], "").await;
    refused.assert_refused(StatusCode::PRECONDITION_FAILED, "10 queues");
}

#[tokio::test]
async fn url_group_beyond_the_plans_number_or_size_is_refused() {
    let cloud = on(Plan::Free).await;
    let add = async |group: &str, endpoints: std::ops::Range<usize>| {
        let endpoints: Vec<_> = endpoints
            .map(|at| json!({ "url": format!("{SOMEWHERE}{at}") }))
            .collect();
        let body = json!({ "endpoints": endpoints }).to_string();
        cloud
            .post(&format!("/v2/topics/{group}/endpoints"), &body)
            .await
    };
    assert_eq!(add("one", 0..100).await.status, StatusCode::OK);
    let refused = add("one", 100..101).await;
    refused.assert_refused(StatusCode::PRECONDITION_FAILED, "100 endpoints");
    let refused = add("two", 0..1).await;
    refused.assert_refused(StatusCode::PRECONDITION_FAILED, "1 URL groups");
}

#[tokio::test]
async fn concurrent_deliveries_are_limited_by_the_plan_over_all_keys() {
    let cloud = on(Plan::Free).await;
    let receiver = Receiver::start(|_, _| Answer::status(200).after_ms(100)).await;
    for key in ["a", "b", "c"] {
        let headers = [
            ("Upstash-Flow-Control-Key", key),
            ("Upstash-Flow-Control-Value", "parallelism=8"),
        ];
        for _ in 0..8 {
            cloud.publish(&receiver.url("/"), &headers, "").await;
        }
    }
    eventually("all delivered", async || receiver.count() == 24).await;
    assert!(
        receiver.most_at_once("/") <= 10,
        "{}",
        receiver.most_at_once("/")
    );
    assert_eq!(
        cloud.get("/v2/globalParallelism").await.json["parallelismMax"],
        10
    );
}

#[tokio::test]
async fn spent_day_refuses_messages_until_midnight_and_counts_retries() {
    let cloud = on(Plan::Free).await;
    let items =
        vec![json!({ "destination": SOMEWHERE, "headers": { "Upstash-Delay": "6d" } }); 998];
    let filled = cloud.post("/v2/batch", &json!(items).to_string()).await;
    assert_eq!(filled.json[997].get("error"), None, "{}", filled.json[997]);
    // No receiver answers there, so this one takes two attempts.
    let twice = [("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "1")];
    assert_eq!(
        publish(&cloud, &twice, Vec::new()).await.status,
        StatusCode::OK
    );
    eventually("tried twice", async || cloud.dead("").await.len() == 1).await;
    let refused = publish(&cloud, &[LATER], Vec::new()).await;
    refused.assert_refused(StatusCode::TOO_MANY_REQUESTS, "1000 messages");
    assert_eq!(refused.number("ratelimit-limit"), 1_000);
    assert_eq!(refused.number("ratelimit-remaining"), 0);
    assert_eq!(refused.number("ratelimit-reset") % 86_400, 0);
    let several = vec![json!({ "destination": SOMEWHERE }); 2];
    let answers = cloud.post("/v2/batch", &json!(several).to_string()).await;
    assert!(answers.json[1]["error"].is_string(), "{}", answers.json);
    let cloud = cloud.restart(true, 1.0).await;
    let refused = publish(&cloud, &[LATER], Vec::new()).await;
    refused.assert_refused(StatusCode::TOO_MANY_REQUESTS, "1000 messages");
    cloud.server.set_speed(1_000_000.0);
    eventually("the next day has begun", async || {
        publish(&cloud, &[LATER], Vec::new()).await.status == StatusCode::OK
    })
    .await;
}

#[tokio::test]
async fn dead_letter_expires_after_the_plans_retention() {
    let cloud = on(Plan::Free).await;
    let receiver = Receiver::start(|_, _| Answer::status(500)).await;
    let headers = [("Upstash-Retries", "0")];
    cloud.publish(&receiver.url("/"), &headers, "x").await;
    eventually("given up", async || cloud.dead("").await.len() == 1).await;
    let id = cloud.dead("").await[0]["dlqId"]
        .as_str()
        .expect("an id")
        .to_owned();
    cloud.server.set_speed(1_000_000.0);
    eventually("forgotten", async || cloud.dead("").await.is_empty()).await;
    for (method, path) in [
        (Method::GET, format!("/v2/dlq/{id}")),
        (Method::DELETE, format!("/v2/dlq/{id}")),
        (Method::POST, format!("/v2/dlq/retry/{id}")),
    ] {
        let gone = cloud.call(method, &path, &[], "").await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND, "{path}");
    }
}
