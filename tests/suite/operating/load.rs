//! Many queued notifications of three tenants: all of them end, and none of them dead.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use http::Method;
use serde_json::json;

use crate::support::cloud::{answer, with_json};
use crate::support::{TestCloud, seeds};

const TENANTS: [&str; 3] = ["one.example", "two.example", "three.example"];

/// Returns the total number of notifications: 30,000 with `CAMPAIGN_SEEDS=1000`, as `make campaign` sets it.
fn notifications() -> u32 {
    u32::try_from(seeds(20) * 30).unwrap_or(30_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queued_notifications_of_three_tenants_complete_without_a_dead_job() {
    let cloud = TestCloud::start().await;
    let count = notifications();
    let begun = Instant::now();
    let enqueue = |number: u32| {
        let user = uuid::Uuid::from_u128(7000 + u128::from(number % 90));
        let tenant = TENANTS[usize::try_from(number).unwrap_or_default() % TENANTS.len()];
        let body = json!({
            "type": "general", "userId": user, "title": format!("No. {number}"), "message": "M",
        });
        let request = cloud.request(Method::POST, "/api/queue/notifications");
        let request = request.header("x-user-id", user.to_string());
        with_json(request.header("x-user-domain", tenant), &body)
    };
    let taken = stream::iter(0..count).map(|number| answer(enqueue(number)));
    let mut taken = taken.buffer_unordered(16);
    while let Some(taken) = taken.next().await {
        assert_eq!(taken.status, 202, "{taken:?}");
    }
    let enqueued = begun.elapsed();
    let patience = Duration::from_secs(120 + u64::from(count) / 2);
    loop {
        let stats = cloud.get("/api/queue/stats").await.body["notification"].clone();
        assert_eq!(stats["failed"], 0, "dead jobs: {stats:#}");
        if stats["completed"] == count {
            break;
        }
        assert!(begun.elapsed() < patience, "after {patience:?}: {stats:#}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!(
        "{count} notifications: enqueued in {enqueued:?}, all done after {:?}",
        begun.elapsed()
    );
}
