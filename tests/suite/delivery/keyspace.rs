//! The keys of all jobs in Redis: each expires or has a documented bound.

use std::fs;

use http::Method;
use redis::AsyncCommands as _;
use serde_json::json;
use shared::service::job::{Jobs, NewJob};

use super::lease::options;
use super::{cancel, publish, retry};
use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};
use crate::support::payloads::{bulk, signature_request};

/// Families without a TTL, each bounded as docs/KEYS.md states.
const BOUNDED: [&str; 4] = [
    "jobs:{type}",
    "jobs_dead:{type}",
    "jobs_open:{type}",
    "job_stats:{type}",
];

/// Returns the patterns of docs/KEYS.md.
fn patterns() -> Vec<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/KEYS.md");
    let page = fs::read_to_string(page).unwrap();
    let cells = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    cells.map(ToOwned::to_owned).collect()
}

fn is_of(key: &str, pattern: &str) -> bool {
    let (fixed, _) = pattern.split_once('{').unwrap();
    key.strip_prefix(fixed).is_some_and(|id| !id.is_empty())
}

/// Runs one job with each outcome.
async fn live(cloud: &TestCloud) {
    let to = signature_request("ann@example.com");
    let keyed = cloud
        .request(Method::POST, "/api/queue/emails")
        .header("idempotency-key", "k");
    let keyed = answer(with_json(keyed, &to)).await;
    cloud
        .wait_for(keyed.body["jobId"].as_str().unwrap(), "completed")
        .await;
    let batch = cloud.post("/api/queue/emails/bulk", &bulk(3)).await;
    cloud
        .wait_for(batch.body["jobIds"][0].as_str().unwrap(), "completed")
        .await;
    let direct = publish(cloud, "send-email", &to.to_string()).await;
    cloud.wait_for(&direct, "completed").await;
    let unreadable = publish(cloud, "send-email", "{}").await;
    cloud.wait_for(&unreadable, "dead").await;
    cloud.mail().faults().set(Some(local_mail::Fault::Rejected));
    let dead = cloud.enqueue(&signature_request("bob@example.com")).await;
    cloud.wait_for(&dead, "dead").await;
    let quota = local_mail::Fault::Refused(local_mail::Code::LimitExceeded);
    cloud.mail().faults().set(Some(quota));
    let deferred = cloud.enqueue(&signature_request("cid@example.com")).await;
    cloud.wait_for(&deferred, "deferred").await;
    cloud.qstash().hold(true);
    let cancelled = cloud.enqueue(&to).await;
    assert_eq!(cancel(cloud, &cancelled).await.status, 200);
    assert_eq!(retry(cloud, &dead).await.status, 202);
    let mut later = to.clone();
    later["delaySeconds"] = json!(604_800);
    cloud.enqueue(&later).await;
    assert_eq!(cloud.get("/api/health/redis").await.status, 200);
}

/// Defects 42 and 48: lists, sets and counters that only grew.
#[tokio::test]
async fn every_key_expires_or_has_a_documented_bound() {
    let cloud = TestCloud::start().await;
    live(&cloud).await;
    let mut redis = cloud.redis_connection().await;
    let keys: Vec<String> = redis.keys("*").await.unwrap();
    assert!(keys.len() > 10, "{keys:?}");
    let patterns = patterns();
    for bounded in BOUNDED {
        assert!(
            patterns.iter().any(|pattern| pattern == bounded),
            "{bounded} is not documented"
        );
    }
    for key in &keys {
        let documented = patterns.iter().any(|pattern| is_of(key, pattern));
        assert!(documented, "{key} is not in docs/KEYS.md");
        let left: i64 = redis.pttl(key).await.unwrap();
        let bounded = BOUNDED.iter().any(|pattern| is_of(key, pattern));
        assert!(left > 0 || bounded, "{key} stays forever");
        let longest = 400 * 86_400_000;
        assert!(left <= longest, "{key} stays for {left} ms");
    }
}

#[tokio::test]
async fn job_list_keeps_the_newest_thousand_and_the_open_set_drops_lost_jobs() {
    let cloud = TestCloud::start().await;
    let mut redis = cloud.redis_connection().await;
    let jobs = Jobs::new(cloud.redis_client());
    let now: (i64, i64) = redis::cmd("TIME").query_async(&mut redis).await.unwrap();
    for (id, days) in [("lost", 41), ("late", 39)] {
        let due = (now.0 - days * 86_400) * 1000;
        let _: () = redis.zadd("jobs_open:email", id, due).await.unwrap();
    }
    let mut newest = String::new();
    for _ in 0..6 {
        let new: Vec<NewJob> = (0..200)
            .map(|_| NewJob::new(&signature_request("ann@example.com")).unwrap())
            .collect();
        newest.clone_from(&new[199].id);
        jobs.create(&options(), &new, None).await.unwrap();
    }
    let kept: Vec<String> = redis.lrange("jobs:email", 0, -1).await.unwrap();
    assert_eq!((kept.len(), &kept[0]), (1000, &newest));
    let lost: Option<f64> = redis.zscore("jobs_open:email", "lost").await.unwrap();
    assert_eq!(lost, None, "a member without a record goes after 40 days");
    let late: Option<f64> = redis.zscore("jobs_open:email", "late").await.unwrap();
    assert!(late.is_some(), "and not before");
}
