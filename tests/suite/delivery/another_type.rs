//! A message that names a job of another type, and corrupt counters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use redis::AsyncCommands as _;
use serde_json::{Value, json};

use super::{figures, message, retry};
use crate::support::TestCloud;
use crate::support::payloads::signature_request;

const TO: &str = "ann@example.com";

/// Returns a notification with the id of a job.
fn notification(id: &str) -> Value {
    json!({
        "jobId": id, "generation": 1, "type": "general", "userId": uuid::Uuid::new_v4(),
        "title": "News", "message": "There are.",
    })
}

/// Returns QStash's failure callback for a message.
fn given_up(cloud: &TestCloud, handler: &str, body: &Value) -> Value {
    json!({
        "sourceMessageId": "msg_other",
        "url": cloud.url(&format!("/api/jobs/{handler}")),
        "sourceBody": STANDARD.encode(body.to_string()),
        "status": 489,
        "retried": 0,
    })
}

/// Creates a dead mail job whose mail could be sent.
async fn dead(cloud: &TestCloud) -> String {
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request(TO)).await;
    let word = given_up(cloud, "send-email", &message(&id, 1, TO));
    let buried = cloud.deliver("job-failed", &word).await;
    assert_eq!(buried.status, 200, "{buried:?}");
    assert_eq!(cloud.job(&id).await["status"], "dead");
    id
}

#[tokio::test]
async fn message_with_a_job_id_of_another_type_neither_runs_nor_kills_that_job() {
    let cloud = TestCloud::start().await;
    let dead = dead(&cloud).await;
    let waiting = cloud.enqueue(&signature_request(TO)).await;
    let before = cloud.get("/api/queue/stats").await.body;
    for id in [&dead, &waiting] {
        let (record, other) = (cloud.job(id).await, notification(id));
        let answer = cloud.deliver("send-notification", &other).await;
        answer.assert_problem(489, "non_retryable", "a job of another type");
        assert_eq!(answer.headers["upstash-nonretryable-error"], "true");
        // It moves the message to the dead letters, whose callback follows.
        let word = cloud
            .deliver("job-failed", &given_up(&cloud, "send-notification", &other))
            .await;
        assert_eq!(
            (word.status.as_u16(), &word.body["kept"]),
            (200, &json!(true)),
            "{word:?}"
        );
        // An unreadable body does the same.
        let unreadable = json!({ "jobId": id, "type": "no such type" });
        let answer = cloud.deliver("send-notification", &unreadable).await;
        assert_eq!(answer.status.as_u16(), 489, "{answer:?}");
        assert_eq!(cloud.job(id).await, record);
    }
    assert_eq!(cloud.get("/api/queue/stats").await.body, before);

    // Both are unchanged.
    let sent = cloud.deliver("send-email", &message(&waiting, 1, TO)).await;
    assert_eq!(sent.status, 200, "{sent:?}");
    assert_eq!(retry(&cloud, &dead).await.status, 202);
    let sent = cloud.deliver("send-email", &message(&dead, 2, TO)).await;
    assert_eq!(sent.status, 200, "{sent:?}");
    let stats = figures(&cloud).await;
    let counted = ["total", "completed", "failed", "pending"].map(|figure| &stats[figure]);
    assert_eq!(counted, [2, 2, 0, 0], "{stats:#}");
}

#[tokio::test]
async fn lost_or_negative_counter_does_not_hide_other_figures() {
    let cloud = TestCloud::start().await;
    let id = dead(&cloud).await;
    let mut redis = cloud.redis_connection().await;
    let () = redis.del("job_stats:email").await.unwrap();
    assert_eq!(retry(&cloud, &id).await.status, 202);
    let sent = cloud.deliver("send-email", &message(&id, 2, TO)).await;
    assert_eq!(sent.status, 200, "{sent:?}");
    let failed: Option<i64> = redis.hget("job_stats:email", "failed").await.unwrap();
    assert_eq!(failed, Some(0), "it does not fall below zero");

    // As an older version may have left it.
    let () = redis.hset("job_stats:email", "failed", -3).await.unwrap();
    let stats = cloud.get("/api/queue/stats").await;
    assert_eq!(stats.status, 200, "{stats:?}");
    let email = &stats.body["email"];
    assert_eq!(
        (&email["failed"], &email["completed"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(cloud.get("/api/health/redis").await.status, 200);
}
