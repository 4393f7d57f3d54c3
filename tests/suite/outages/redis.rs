//! Redis behind its REST front fails: at the API, and at a delivery.

use std::time::Duration;

use local_redis_rest::Fault;

use super::{
    ANN, assert_come_again, assert_one_mail_each, eventually, message, refused_deliveries, warm,
};
use crate::support::TestCloud;
use crate::support::payloads::signature_request;

/// Longer than the client waits for one attempt.
const TOO_SLOW: Duration = Duration::from_secs(4);

/// Every fault that ends without a response or with a rejection.
const FAULTS: [(Fault, &str); 8] = [
    (Fault::Refused, "the connection is refused"),
    (Fault::Slow(TOO_SLOW), "every answer takes too long"),
    (Fault::Loading, "redis reads its data from disk"),
    (Fault::ReadOnly, "redis has become a replica"),
    (Fault::Unauthorized, "the token is no longer accepted"),
    (
        Fault::RateLimited,
        "the plan's requests of a day are used up",
    ),
    (
        Fault::Spent(None),
        "the plan's requests of a month are used up",
    ),
    (
        Fault::Spent(Some(403)),
        "they are used up, and the answer is forbidden",
    ),
];

async fn slow_queue() -> TestCloud {
    TestCloud::start_with(|settings| settings.qstash_speed = 10.0).await
}

#[tokio::test]
async fn enqueue_without_redis_is_answered_503_and_leaves_no_job() {
    let cloud = TestCloud::start().await;
    for (fault, why) in FAULTS {
        cloud.redis().faults().set(Some(fault));
        let answer = cloud
            .post("/api/queue/emails", &signature_request(ANN))
            .await;
        assert_come_again(&answer, "unavailable", why);
        cloud.redis().faults().set(None);
        let jobs = cloud.get("/api/queue/jobs").await.body;
        assert_eq!(
            jobs["items"].as_array().unwrap().len(),
            0,
            "{why}: {jobs:#}"
        );
    }

    let id = cloud.enqueue(&signature_request(ANN)).await;
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["attempts"], 1, "the first that was taken: {job:#}");
    assert_one_mail_each(&cloud, &[ANN], "after every fault");
}

#[tokio::test]
async fn write_to_a_full_store_is_answered_503_with_the_reason() {
    let cloud = TestCloud::start().await;
    cloud.redis().faults().set(Some(Fault::Full));
    let answer = cloud
        .post("/api/queue/emails", &signature_request(ANN))
        .await;
    assert_come_again(&answer, "unavailable", "the store is full");
    let detail = answer.body["detail"].as_str().unwrap();
    assert!(detail.contains("full"), "{detail}");
    cloud.redis().faults().set(None);
    let jobs = cloud.get("/api/queue/jobs").await.body;
    assert_eq!(jobs["items"].as_array().unwrap().len(), 0, "{jobs:#}");
}

#[tokio::test]
async fn read_without_redis_is_answered_503_until_redis_is_back() {
    let cloud = TestCloud::start().await;
    for (fault, why) in FAULTS {
        if matches!(fault, Fault::Slow(_)) {
            continue; // shown by the enqueue; here it would only be waited for once more
        }
        for path in [
            "/api/queue/jobs",
            "/api/queue/jobs/unknown",
            "/api/queue/stats",
        ] {
            let reads_on = fault == Fault::ReadOnly && path == "/api/queue/stats";
            cloud.redis().faults().set(Some(fault));
            let answer = cloud.get(path).await;
            cloud.redis().faults().set(None);
            if reads_on {
                assert_eq!(
                    answer.status, 200,
                    "{why}: {path}, which a replica can answer"
                );
            } else {
                assert_come_again(&answer, "unavailable", &format!("{why}: {path}"));
            }
        }
        assert_eq!(cloud.get("/api/queue/jobs").await.status, 200, "{why}");
    }
}

#[tokio::test]
async fn delivery_without_redis_is_answered_503_and_redelivered() {
    let cloud = slow_queue().await;
    warm(&cloud).await;
    for (place, (fault, why)) in FAULTS.into_iter().enumerate() {
        let to = format!("ann-{place}@example.com");
        cloud.qstash().hold(true);
        let id = cloud.enqueue(&signature_request(&to)).await;
        cloud.redis().faults().set(Some(fault));
        // Also by hand, to see the whole response, unless that would only be waited for twice.
        if !matches!(fault, Fault::Slow(_)) {
            let answer = cloud.deliver("send-email", &message(&id, &to)).await;
            assert_come_again(&answer, "retry", why);
        }
        let before = refused_deliveries(&cloud).await.len();
        cloud.qstash().hold(false);
        eventually("the queue saw a refusal", async || {
            refused_deliveries(&cloud).await.len() > before
        })
        .await;
        assert_eq!(refused_deliveries(&cloud).await[0], 503, "{why}");
        cloud.redis().faults().set(None);
        let job = cloud.wait_for(&id, "completed").await;
        assert_eq!(
            job["attempts"], 1,
            "a delivery without a claim is not an attempt: {why}: {job:#}"
        );
    }
    let recipients: Vec<String> = (0..FAULTS.len())
        .map(|place| format!("ann-{place}@example.com"))
        .collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    assert_one_mail_each(&cloud, &recipients, "after every fault");
}

#[tokio::test]
async fn short_outage_is_not_noticed() {
    let cloud = TestCloud::start().await;
    warm(&cloud).await;
    cloud.redis().faults().set_for_next(2, Fault::Refused);
    let id = cloud.enqueue(&signature_request(ANN)).await;
    cloud.wait_for(&id, "completed").await;
    assert_one_mail_each(&cloud, &[ANN], "two refused connections");
}

#[tokio::test]
async fn delayed_mail_is_sent_after_its_record_was_wiped() {
    let cloud = TestCloud::start().await;
    let mut later = signature_request("later@example.com");
    later["delaySeconds"] = serde_json::json!(60);
    let id = cloud.enqueue(&later).await;
    let mut redis = cloud.redis_connection().await;
    let () = redis::cmd("FLUSHALL")
        .query_async(&mut redis)
        .await
        .unwrap();
    assert_eq!(cloud.job(&id).await["status"], 404);
    eventually("the job has ended", async || {
        cloud.job(&id).await["status"] == "completed"
    })
    .await;
    assert_eq!(cloud.mails()["later@example.com"], 1);
}
