//! One tenant's many jobs, and another tenant's single mail.

use std::time::Instant;

use http::Method;
use serde_json::json;

use super::enqueue_for;
use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};
use crate::support::payloads::bulk;
use crate::support::waiting::eventually;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_mail_of_one_tenant_does_not_wait_for_ten_thousand_of_another() {
    let cloud = TestCloud::start_with(|settings| settings.qstash_speed = 1.0).await;
    // Both tenants' functions have instances, as in a busy hour.
    let first = enqueue_for(&cloud, "bob", "small.example", "first@example.com").await;
    cloud.wait_for(&first, "completed").await;

    let request = cloud
        .request(Method::POST, "/api/queue/emails/bulk")
        .header("x-user-id", "ann")
        .header("x-user-domain", "crowd.example");
    let taken = answer(with_json(request, &bulk(10_000))).await;
    assert_eq!(taken.status, 202, "{}", taken.status);
    let batch = taken.body["batchId"].as_str().unwrap().to_owned();
    eventually("the crowd is under way", async || cloud.mails().len() > 20).await;

    let asked = Instant::now();
    enqueue_for(&cloud, "bob", "small.example", "single@example.com").await;
    eventually("the single mail is there", async || {
        !cloud.mail().messages(Some("single@example.com")).is_empty()
    })
    .await;
    println!("the single mail was there after {:?}", asked.elapsed());
    let status = cloud.get(&format!("/api/queue/batches/{batch}")).await.body;
    let completed = status["statuses"]["completed"].as_u64().unwrap_or(0);
    assert!(completed < 50, "the crowd was all but over: {status:#}");

    let cancelled = cloud
        .post("/api/queue/jobs/cancel", &json!({ "label": batch }))
        .await;
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
}
