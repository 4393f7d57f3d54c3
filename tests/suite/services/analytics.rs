//! The counters of the day, from their writer to their reader.

use shared::base::clock::Clock;
use shared::protocol::upstash::Command;
use shared::service::analytics::{DayCounter, count};

use crate::support::TestCloud;

#[tokio::test]
async fn health_shows_todays_counters_and_not_yesterdays() {
    let cloud = TestCloud::start().await;
    let redis = cloud.redis_client();
    let shown = async || {
        let report = cloud.get("/api/health/redis").await.body;
        let analytics = &report["services"]["analytics"];
        assert_eq!(analytics["status"], "healthy");
        [&analytics["todayViews"], &analytics["todaySignatures"]]
            .map(|count| count.as_u64().unwrap())
    };
    assert_eq!(shown().await, [0, 0], "nothing is counted yet");
    let now = Clock::system().now();
    let yesterday = now - jiff::SignedDuration::from_hours(24);
    for expected in 1..=3 {
        assert_eq!(
            count(&redis, DayCounter::DocumentViews, now).await.unwrap(),
            expected
        );
    }
    count(&redis, DayCounter::Signatures, now).await.unwrap();
    count(&redis, DayCounter::Signatures, yesterday)
        .await
        .unwrap();
    // A test that runs over midnight would read another day.
    if Clock::system().now().strftime("%F").to_string() == now.strftime("%F").to_string() {
        assert_eq!(shown().await, [3, 1]);
    }
    let key = format!("analytics:doc_views:{}", now.strftime("%F"));
    let life: i64 = redis.run(Command::new("TTL").arg(&key)).await.unwrap();
    let days = life / 86_400;
    assert!((365..=400).contains(&days), "{key} lives for {days} days");
}
