//! The metrics lines: CloudWatch's format, the store's counts, and their functions.

use http::Method;
use serde_json::{Value, json};
use shared::base::clock::Clock;

use super::log::{FUNCTIONS, lines, metrics, until};
use crate::support::TestCloud;
use crate::support::cloud::answer;
use crate::support::payloads::signature_request;

/// Returns a delivery's body for an enqueued job.
async fn tracked(cloud: &TestCloud) -> Value {
    let mut body = signature_request("ann@example.com");
    body["jobId"] = cloud.enqueue(&body).await.into();
    body
}

/// Calls every function once, and returns the number of invocations.
async fn call_everything(cloud: &TestCloud) -> usize {
    let body = tracked(cloud).await;
    let delivered = cloud.deliver("send-email", &body).await;
    assert_eq!(delivered.status, 200, "{delivered:?}");
    let callback = json!({ "sourceMessageId": "msg_1", "url": cloud.url("/api/jobs/send-email"), "status": 503 });
    assert_eq!(cloud.deliver("job-failed", &callback).await.status, 200);
    for path in [
        "/api/queue/stats",
        "/api/queue/jobs",
        "/api/queue/jobs/none",
        "/api/health/redis",
        "/api/openapi.json",
    ] {
        cloud.get(path).await;
    }
    8
}

/// Waits until there are that many metrics lines, and returns them.
async fn all_metrics(cloud: &TestCloud, count: usize) -> Vec<Value> {
    let now = || {
        FUNCTIONS
            .iter()
            .flat_map(|function| metrics(cloud, function))
            .collect::<Vec<_>>()
    };
    for _ in 0..500 {
        if now().len() >= count {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let all = now();
    assert_eq!(all.len(), count, "one line for each invocation");
    all
}

#[tokio::test]
async fn every_metrics_line_is_valid_for_cloudwatch() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let started = Clock::system().now().as_millisecond();
    let count = call_everything(&cloud).await;
    for line in all_metrics(&cloud, count).await {
        let at = line["_aws"]["Timestamp"].as_i64().unwrap();
        assert!(
            (started..=Clock::system().now().as_millisecond()).contains(&at),
            "{line}"
        );
        let [declared] = line["_aws"]["CloudWatchMetrics"]
            .as_array()
            .unwrap()
            .as_slice()
        else {
            panic!("{line}");
        };
        let namespace = declared["Namespace"].as_str().unwrap();
        assert!((1..=255).contains(&namespace.len()), "{line}");
        assert_eq!(
            declared["Dimensions"],
            json!([["function", "outcome"]]),
            "each combination is billed"
        );
        for dimension in ["function", "outcome"] {
            let value = line[dimension].as_str().unwrap();
            assert!(
                (1..=1024).contains(&value.len()) && value.is_ascii(),
                "{line}"
            );
        }
        let units = [
            ("Duration", "Milliseconds"),
            ("RedisRequests", "Count"),
            ("RedisCommands", "Count"),
        ];
        let units = units.map(|(name, unit)| json!({ "Name": name, "Unit": unit }));
        assert_eq!(declared["Metrics"], json!(units));
        for metric in &units {
            let value = line[metric["Name"].as_str().unwrap()].as_f64().unwrap();
            assert!(value >= 0.0 && value.is_finite(), "{line}");
        }
        assert!(line["requestId"].as_str().unwrap().len() > 1, "{line}");
    }
}

#[tokio::test]
async fn metrics_count_the_requests_that_redis_received() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    // The first call of each starts an instance, which opens its connection: that is not an invocation's cost.
    let warm = call_everything(&cloud).await;
    let sum_of = |lines: &[Value], name: &str| -> u64 {
        lines.iter().map(|line| line[name].as_u64().unwrap()).sum()
    };
    let before = all_metrics(&cloud, warm).await;
    let seen = cloud.redis().requests();
    let count = call_everything(&cloud).await;
    let after = all_metrics(&cloud, warm + count).await;
    let requests = sum_of(&after, "RedisRequests") - sum_of(&before, "RedisRequests");
    assert_eq!(requests, cloud.redis().requests() - seen);
    assert!(requests >= 7, "{requests}: too few to say anything");
    assert!(
        sum_of(&after, "RedisCommands") > sum_of(&after, "RedisRequests"),
        "health asks many things at once"
    );
}

#[tokio::test]
async fn metrics_line_names_its_request_job_and_outcome() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let id_of = |line: &Value| line["requestId"].as_str().unwrap().to_owned();
    let by_job = |job: &Value| {
        let job = job.clone();
        move |line: &Value| line.get("_aws").is_some() && line["jobId"] == job
    };

    let done = tracked(&cloud).await;
    cloud.deliver("send-email", &done).await;
    let line = until(&cloud, "send-email", by_job(&done["jobId"])).await;
    assert_eq!(
        (&line["function"], &line["outcome"]),
        (&json!("send-email"), &json!("done"))
    );

    let mut unreadable = tracked(&cloud).await;
    unreadable["type"] = json!("no such type");
    let refused = cloud.deliver("send-email", &unreadable).await;
    let line = until(&cloud, "send-email", by_job(&unreadable["jobId"])).await;
    assert_eq!(
        (&line["outcome"], id_of(&line)),
        (
            &json!("never"),
            refused.body["requestId"].as_str().unwrap().to_owned()
        )
    );

    let throttled = tracked(&cloud).await;
    cloud
        .mail()
        .faults()
        .set_for_next(1, local_mail::Fault::ServerError);
    let again = cloud.deliver("send-email", &throttled).await;
    assert_eq!(again.status, 503, "{again:?}");
    let line = until(&cloud, "send-email", by_job(&throttled["jobId"])).await;
    assert_eq!(line["outcome"], "retry");
    let stopped = |line: &Value| line["span"]["job_id"] == throttled["jobId"];
    let stopped = until(&cloud, "send-email", stopped).await;
    assert_eq!(
        stopped["span"]["request_id"], line["requestId"],
        "the log names the same request: {stopped}"
    );

    let callback = json!({ "sourceMessageId": "msg_7", "url": cloud.url("/api/jobs/send-email"), "status": 503 });
    cloud.deliver("job-failed", &callback).await;
    until(&cloud, "job-failed", by_job(&json!("msg_7"))).await;

    let forged = answer(
        cloud
            .bare(Method::POST, "/api/jobs/send-email")
            .body(done.to_string()),
    )
    .await;
    let missing = cloud.get("/api/queue/jobs/none").await;
    for (function, problem) in [("send-email", forged), ("queue-jobs", missing)] {
        let id = &problem.body["requestId"];
        let line = until(&cloud, function, |line| {
            line.get("_aws").is_some() && line["requestId"] == *id
        })
        .await;
        assert_eq!(
            (&line["outcome"], line.get("jobId")),
            (&json!("refused"), None),
            "{line}"
        );
    }
    let ids: Vec<String> = lines(&cloud, "send-email")
        .iter()
        .filter(|line| line.get("_aws").is_some())
        .map(id_of)
        .collect();
    let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!(
        distinct.len(),
        ids.len(),
        "each invocation has an id of its own"
    );
}
