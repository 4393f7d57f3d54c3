//! Records that the former system wrote: a JSON string under the message id, in its TypeScript's form.

use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};

use super::{cancel, retry, statuses};
use crate::support::TestCloud;
use crate::support::payloads::{address, signature_request};

/// The creation time of the former records, in milliseconds.
const CREATED: i64 = 1_700_000_000_000;

/// Writes and lists a record as the former system did.
async fn write(redis: &mut MultiplexedConnection, id: &str, status: &str, to: &str) {
    let mut record = json!({
        "id": id,
        "type": "email",
        "status": status,
        "data": signature_request(to),
        "createdAt": CREATED,
        "updatedAt": CREATED + 1,
    });
    match status {
        "completed" => {
            record["result"] = json!({ "success": true, "messageId": "ses-1" });
            record["completedAt"] = json!(CREATED + 1);
        }
        "failed" => record["error"] = json!("Resend said no"),
        _ => {}
    }
    let _: () = redis
        .set_ex(format!("job:{id}"), record.to_string(), 86_400)
        .await
        .unwrap();
    let _: () = redis.lpush("jobs:email", id).await.unwrap();
}

#[tokio::test]
async fn former_record_is_shown_and_listed_with_its_status() {
    let cloud = TestCloud::start().await;
    let mut redis = cloud.redis_connection().await;
    for status in ["queued", "processing", "completed", "failed"] {
        write(
            &mut redis,
            &format!("msg_shown_{status}"),
            status,
            "ann@example.com",
        )
        .await;
        write(
            &mut redis,
            &format!("msg_listed_{status}"),
            status,
            "ann@example.com",
        )
        .await;
    }
    for status in ["queued", "processing", "completed", "failed"] {
        let shown = cloud.job(&format!("msg_shown_{status}")).await;
        assert_eq!(shown["status"], status, "{shown:#}");
        assert_eq!(shown["type"], "email", "{shown:#}");
        assert_eq!(shown["createdAt"], "2023-11-14T22:13:20Z", "{shown:#}");
        if status == "completed" {
            assert_eq!(shown["result"]["messageId"], "ses-1", "{shown:#}");
            assert_eq!(
                shown["completedAt"], "2023-11-14T22:13:20.001Z",
                "{shown:#}"
            );
        }
        if status == "failed" {
            assert_eq!(shown["error"], "Resend said no", "{shown:#}");
        }
    }
    let page = cloud.get("/api/queue/jobs").await;
    assert_eq!(page.status, 200, "{page:?}");
    let items = page.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 8, "{items:#?}");
    for job in items {
        let id = job["jobId"].as_str().unwrap();
        assert!(id.ends_with(job["status"].as_str().unwrap()), "{job:#}");
    }
}

#[tokio::test]
async fn former_record_is_completed_cancelled_redriven_and_marked_dead() {
    let cloud = TestCloud::start().await;
    let mut redis = cloud.redis_connection().await;
    for (place, (id, status)) in [
        ("msg_under_way", "queued"),
        ("msg_failed", "failed"),
        ("msg_cancelled", "queued"),
        ("msg_given_up", "processing"),
        ("msg_done", "completed"),
    ]
    .into_iter()
    .enumerate()
    {
        write(&mut redis, id, status, &address(place)).await;
    }
    let deliver = async |id: &str, place: usize| {
        cloud
            .deliver_as(id, "send-email", &signature_request(&address(place)))
            .await
    };

    // Its message was in transit when the functions were replaced.
    assert_eq!(deliver("msg_under_way", 0).await.status, 200);
    let job = cloud.job("msg_under_way").await;
    assert_eq!(statuses(&job), ["processing", "completed"], "{job:#}");
    assert_eq!(job["createdAt"], "2023-11-14T22:13:20Z", "{job:#}");

    assert_eq!(retry(&cloud, "msg_failed").await.status, 202);
    cloud.wait_for("msg_failed", "completed").await;

    assert_eq!(
        cancel(&cloud, "msg_cancelled").await.body["status"],
        "cancelled"
    );
    assert_eq!(deliver("msg_cancelled", 2).await.body["repeated"], true);

    let unreadable = json!({ "type": "telegram" });
    let refused = cloud
        .deliver_as("msg_given_up", "send-email", &unreadable)
        .await;
    assert_eq!(refused.status.as_u16(), 489, "{refused:?}");
    assert_eq!(cloud.job("msg_given_up").await["status"], "dead");
    assert_eq!(
        retry(&cloud, "msg_given_up").await.status,
        202,
        "with its former payload"
    );
    cloud.wait_for("msg_given_up", "completed").await;

    assert_eq!(deliver("msg_done", 4).await.body["repeated"], true);
    assert_eq!(retry(&cloud, "msg_done").await.status, 409);

    let mails = cloud.mails();
    let counts: Vec<Option<&usize>> = (0..5).map(|place| mails.get(&address(place))).collect();
    assert_eq!(counts, [Some(&1), Some(&1), None, Some(&1), None]);
    let logs = cloud.logs();
    assert!(!logs.contains("WRONGTYPE"), "no former key is answered so");
}

#[tokio::test]
async fn job_key_without_a_record_is_answered_404_and_not_listed() {
    let cloud = TestCloud::start().await;
    let mut redis = cloud.redis_connection().await;
    for (id, text) in [("garbage", "not json"), ("number", "17"), ("null", "null")] {
        let _: () = redis.set(format!("job:{id}"), text).await.unwrap();
        let _: () = redis.lpush("jobs:email", id).await.unwrap();
        let shown = cloud.get(&format!("/api/queue/jobs/{id}")).await;
        shown.assert_problem(404, "job_not_found", id);
    }
    let page = cloud.get("/api/queue/jobs").await;
    assert_eq!(
        (page.status.as_u16(), &page.body["items"]),
        (200, &Value::Array(vec![]))
    );
}

#[tokio::test]
async fn former_record_keeps_payload_and_result_byte_for_byte() {
    let cloud = TestCloud::start().await;
    let mut redis = cloud.redis_connection().await;
    let raw = r#"{"empty":[],"none":{},"long":1234567890123456789,"tiny":1e-9,"text":"a \"quoted\" } ] , : \\","list":[[],[{"data":[]}]]}"#;
    for (id, status, member) in [
        ("kept_payload", "queued", "data"),
        ("kept_result", "completed", "result"),
    ] {
        let record = format!(
            r#"{{"id":"{id}","a \"data\"":1,"type":"email", "{member}" : {raw} ,"status":"{status}","createdAt":{CREATED},"tail":{{"{member}":2}}}}"#
        );
        assert!(serde_json::from_str::<Value>(&record).is_ok());
        let _: () = redis.set(format!("job:{id}"), record).await.unwrap();
        assert_eq!(cloud.job(id).await["status"], status);
    }
    let payload: String = redis.hget("job:kept_payload", "payload").await.unwrap();
    let result: String = redis.hget("job:kept_result", "result").await.unwrap();
    assert_eq!((payload.as_str(), result.as_str()), (raw, raw));
    let shown = cloud.job("kept_result").await;
    assert_eq!(
        shown["result"]["long"],
        json!(1_234_567_890_123_456_789_u64)
    );
    assert_eq!(shown["result"]["empty"], json!([]));
}
