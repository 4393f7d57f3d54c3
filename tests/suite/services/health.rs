//! Health: the true state of each component, always in the same structure, and at a constant cost.

use local_redis_rest::Fault;
use serde_json::{Value, json};
use shared::service::job::JobType;

use crate::support::TestCloud;
use crate::support::cloud::Answer;
use crate::support::payloads::bulk;
use crate::support::proxy::Proxy;

const PATH: &str = "/api/health/redis";

async fn health(cloud: &TestCloud) -> Answer {
    crate::support::cloud::answer(cloud.bare(http::Method::GET, PATH)).await
}

/// Asserts the structure of a report, in any state.
fn assert_shape(report: &Value) {
    assert!(
        report["timestamp"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .is_ok(),
        "{report:#}"
    );
    assert!(
        report["version"].is_string() && report["responseTime"].is_u64(),
        "{report:#}"
    );
    let services = &report["services"];
    for part in [
        "redis",
        "cache",
        "jobQueue",
        "analytics",
        "database",
        "qstash",
    ] {
        assert!(services[part]["status"].is_string(), "{part} in {report:#}");
    }
    for operation in ["set", "get", "delete"] {
        assert!(
            services["cache"]["operations"][operation].is_boolean(),
            "{report:#}"
        );
    }
    assert!(
        services["database"]["oldestOutboxSeconds"].is_u64(),
        "{report:#}"
    );
    assert!(
        services["jobQueue"]["oldestPendingSeconds"].is_u64(),
        "{report:#}"
    );
}

/// Returns the statistics of e-mails; clients read them without a check.
fn email(report: &Value) -> &Value {
    &report["services"]["jobQueue"]["stats"]["email"]
}

#[tokio::test]
async fn fresh_cloud_is_healthy_with_zero_counts() {
    let cloud = TestCloud::start().await;
    let answer = health(&cloud).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["status"]),
        (200, &json!("healthy")),
        "{:#}",
        answer.body
    );
    assert_shape(&answer.body);
    for job in JobType::ALL {
        let stats = &answer.body["services"]["jobQueue"]["stats"][job.name()];
        for figure in ["total", "completed", "failed", "pending"] {
            assert_eq!(stats[figure], 0, "{} {figure}: {stats}", job.name());
        }
        assert!(stats["successRate"].is_number(), "{stats}");
    }
    assert_eq!(
        answer.body["services"]["cache"]["operations"],
        json!({ "set": true, "get": true, "delete": true })
    );
}

#[tokio::test]
async fn health_without_redis_is_unhealthy_and_keeps_its_figures() {
    let cloud = TestCloud::start().await;
    for fault in [
        Fault::Refused,
        Fault::Loading,
        Fault::Unauthorized,
        Fault::RateLimited,
    ] {
        cloud.redis().faults().set(Some(fault));
        let answer = health(&cloud).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["status"]),
            (503, &json!("unhealthy")),
            "{fault:?}"
        );
        assert_shape(&answer.body);
        assert_eq!(
            email(&answer.body)["total"],
            0,
            "{fault:?}: {:#}",
            answer.body
        );
        assert_eq!(
            answer.body["services"]["redis"],
            json!({ "status": "unhealthy" }),
            "{fault:?}"
        );
        assert_eq!(
            answer.body["services"]["database"]["status"], "healthy",
            "{fault:?}"
        );
    }
    cloud.redis().faults().set(None);
    assert_eq!(health(&cloud).await.body["status"], "healthy");
}

#[tokio::test]
async fn read_only_redis_is_not_reported_healthy() {
    let cloud = TestCloud::start().await;
    cloud.redis().faults().set(Some(Fault::ReadOnly));
    let answer = health(&cloud).await;
    assert_shape(&answer.body);
    assert_ne!(answer.body["status"], "healthy", "{:#}", answer.body);
    assert_ne!(
        answer.body["services"]["cache"]["status"], "healthy",
        "{:#}",
        answer.body
    );
    assert_eq!(email(&answer.body)["total"], 0);
}

#[tokio::test]
async fn health_without_postgres_or_qstash_is_degraded_and_names_the_part() {
    let database = crate::support::cloud::fresh_database().await;
    let target = url::Url::parse(&database.functions_url)
        .unwrap()
        .socket_addrs(|| None)
        .unwrap()[0];
    let proxy = Proxy::start(target).await;
    let led = proxy.lead(&database.functions_url);
    let cloud = TestCloud::start_with(|settings| {
        settings.database = local::cloud::Database::Made(database);
        settings.overrides.insert("DATABASE_URL".into(), led);
    })
    .await;
    assert_eq!(health(&cloud).await.body["status"], "healthy");
    proxy.guard(|_| false);
    let answer = health(&cloud).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["status"]),
        (200, &json!("degraded")),
        "{:#}",
        answer.body
    );
    assert_shape(&answer.body);
    let services = &answer.body["services"];
    assert_eq!(services["database"]["status"], "unhealthy");
    assert_eq!(
        [&services["redis"]["status"], &services["qstash"]["status"]],
        ["healthy", "healthy"]
    );
    proxy.open();
    assert_eq!(
        health(&cloud).await.body["status"],
        "healthy",
        "it heals by itself"
    );

    let cloud = TestCloud::start_with(|settings| {
        settings
            .overrides
            .insert("QSTASH_URL".into(), "http://127.0.0.1:1".into());
    })
    .await;
    let answer = health(&cloud).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["status"]),
        (200, &json!("degraded")),
        "{:#}",
        answer.body
    );
    let services = &answer.body["services"];
    assert_eq!(services["qstash"]["status"], "unhealthy");
    assert_eq!(
        [
            &services["redis"]["status"],
            &services["database"]["status"]
        ],
        ["healthy", "healthy"]
    );
}

/// Defect 51: health made up to 500 requests, and its probes shared one key.
#[tokio::test]
async fn health_cost_is_independent_of_the_number_of_jobs_and_leaves_no_key() {
    // Commands are counted at one redis-server, so there is no replica that would serve some of them.
    let cloud = TestCloud::start_with(|settings| settings.replica_lag = None).await;
    cloud.qstash().hold(true);
    health(&cloud).await;
    let fresh = cost(&cloud).await;
    for _ in 0..200 {
        let taken = cloud.post("/api/queue/emails/bulk", &bulk(1000)).await;
        assert_eq!(taken.status, 202, "{taken:?}");
    }
    let report = health(&cloud).await.body;
    assert_eq!(
        (&email(&report)["total"], &email(&report)["pending"]),
        (&json!(2000), &json!(2000))
    );
    let before = keys(&cloud).await;
    assert_eq!(
        cost(&cloud).await,
        fresh,
        "requests to Redis and QStash, and commands by name"
    );
    assert_eq!(keys(&cloud).await, before, "the probe's key stays");
}

/// Returns the cost of one report: requests to Redis and to QStash, and redis-server's commands, including those in
/// scripts.
async fn cost(cloud: &TestCloud) -> (u64, u64, Vec<(String, u64)>) {
    let before = (cloud.redis().requests(), cloud.qstash().requests());
    direct(cloud, &["CONFIG", "RESETSTAT"]).await;
    assert_eq!(health(cloud).await.status, 200);
    let commands = direct(cloud, &["INFO", "commandstats"]).await;
    let commands = commands
        .lines()
        .filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(":calls="))
        // The measurement's own commands.
        .filter(|(name, _)| !["info", "config|resetstat", "hello", "client|setinfo"].contains(name))
        .map(|(name, rest)| {
            (
                name.to_owned(),
                rest.split(',').next().unwrap().parse().unwrap(),
            )
        })
        .collect();
    (
        cloud.redis().requests() - before.0,
        cloud.qstash().requests() - before.1,
        commands,
    )
}

async fn keys(cloud: &TestCloud) -> u64 {
    direct(cloud, &["DBSIZE"]).await.parse().unwrap()
}

/// Queries redis-server directly.
async fn direct(cloud: &TestCloud, words: &[&str]) -> String {
    let client = redis::Client::open(format!("redis://{}", cloud.redis_server_addr())).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    match command.query_async(&mut connection).await.unwrap() {
        redis::Value::Int(number) => number.to_string(),
        other => redis::from_redis_value(other).unwrap(),
    }
}
