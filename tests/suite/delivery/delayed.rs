//! Jobs that must not run yet.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::base::clock::Clock;

use super::statuses;
use crate::support::TestCloud;
use crate::support::payloads::{address, signature_request};

fn delayed(place: usize, field: &str, value: &Value) -> Value {
    let mut payload = signature_request(&address(place));
    payload[field] = value.clone();
    payload
}

#[tokio::test]
async fn delayed_job_does_not_run_before_its_time() {
    let cloud = TestCloud::start_with(|settings| settings.qstash_speed = 1.0).await;
    let in_an_hour = Clock::system().now() + SignedDuration::from_hours(1);
    let waiting = [
        ("delaySeconds", json!(3600)),
        ("notBefore", json!(in_an_hour)),
    ];
    let mut ids = Vec::new();
    for (place, (field, value)) in waiting.iter().enumerate() {
        ids.push(cloud.enqueue(&delayed(place, field, value)).await);
    }
    let passed = [
        ("delaySeconds", json!(0)),
        ("notBefore", json!(Timestamp::UNIX_EPOCH)),
    ];
    for (place, (field, value)) in passed.iter().enumerate() {
        let id = cloud.enqueue(&delayed(10 + place, field, value)).await;
        cloud.wait_for(&id, "completed").await;
    }
    // Some ten minutes of the hour pass.
    cloud.qstash().set_speed(600.0);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    cloud.qstash().set_speed(1.0);
    for id in &ids {
        let job = cloud.job(id).await;
        assert_eq!(statuses(&job), ["queued"], "{job:#}");
        let note = job["timeline"][0]["note"].as_str().unwrap();
        assert!(note.starts_with("not before "), "{note}");
    }
    assert_eq!(
        cloud.mails().len(),
        2,
        "those whose time had come: {:?}",
        cloud.mails()
    );
    let health = cloud.get("/api/health/redis").await.body;
    let queue = &health["services"]["jobQueue"];
    assert_eq!(
        queue["oldestPendingSeconds"], 0,
        "what waits for its time is not late: {queue:#}"
    );

    cloud.qstash().set_speed(3600.0);
    for (place, id) in ids.iter().enumerate() {
        cloud.wait_for(id, "completed").await;
        assert_eq!(cloud.mails()[&address(place)], 1);
    }
}
