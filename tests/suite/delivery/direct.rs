//! Messages that a client published directly to a job's function, without a record.

use local_mail::Fault;
use serde_json::json;

use super::{eventually, figures, publish, retry, statuses};
use crate::support::TestCloud;
use crate::support::payloads::signature_request;

#[tokio::test]
async fn message_without_a_record_is_a_job_under_its_message_id() {
    let cloud = TestCloud::start().await;
    // The first delivery fails, so that QStash retries: it is still one job.
    cloud.mail().faults().set_for_next(1, Fault::ServerError);
    let to = "ann@example.com";
    let payload = signature_request(to);
    let id = publish(&cloud, "send-email", &payload.to_string()).await;
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["jobId"], id.as_str(), "{job:#}");
    assert_eq!(
        (&job["type"], &job["priority"]),
        (&json!("email"), &json!("normal"))
    );
    let life = ["processing", "failed", "processing", "completed"];
    assert_eq!(statuses(&job), life, "{job:#}");

    let page = cloud.get("/api/queue/jobs?status=completed").await.body;
    assert_eq!(
        page["items"][0]["jobId"],
        id.as_str(),
        "it is listed: {page:#}"
    );
    let again = cloud.deliver_as(&id, "send-email", &payload).await;
    assert_eq!(again.body["repeated"], true, "{again:?}");
    assert_eq!(cloud.mails()[to], 1, "exactly once");
    let stats = figures(&cloud).await;
    let counted = ["total", "completed", "failed", "pending"].map(|figure| &stats[figure]);
    assert_eq!(counted, [1, 1, 0, 0], "{stats:#}");
}

#[tokio::test]
async fn unreadable_payload_is_dead_and_redrivable_only_if_it_is_an_object() {
    let cloud = TestCloud::start().await;
    let table = [
        ("not json", 409, "no JSON"),
        ("[]", 409, "no object"),
        ("", 409, "nothing"),
        (
            r#"{"type":"telegram"}"#,
            202,
            "an unknown type, which a later version may know",
        ),
        (r#"{"type":"reminder"}"#, 202, "fields are missing"),
    ];
    for (body, redriven, why) in table {
        let id = publish(&cloud, "send-email", body).await;
        let job = cloud.wait_for(&id, "dead").await;
        assert!(
            job["error"].as_str().is_some_and(|error| !error.is_empty()),
            "{why}: {job:#}"
        );
        let page = cloud.get("/api/queue/jobs?status=dead&limit=1").await.body;
        assert_eq!(page["items"][0]["jobId"], id.as_str(), "{why}: {page:#}");
        let answer = retry(&cloud, &id).await;
        assert_eq!(answer.status, redriven, "{why}: {answer:?}");
        if redriven == 202 {
            eventually("the redriven message was refused, too", async || {
                cloud.job(&id).await["timeline"].as_array().unwrap().len() > 2
            })
            .await;
        }
        cloud.wait_for(&id, "dead").await;
    }
    let stats = figures(&cloud).await;
    let counted = ["total", "completed", "failed", "pending"].map(|figure| &stats[figure]);
    assert_eq!(counted, [table.len(), 0, table.len(), 0], "{stats:#}");
    assert!(cloud.mails().is_empty());
}

/// A message from the official client has the id that QStash assigns; not every id is valid as a label.
#[tokio::test]
async fn message_with_any_id_can_be_deferred() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let long = format!("msg_{}", "x".repeat(200));
    for id in ["msg_1,2", "msg:a@b/c", "msg_1/../2?x#y", &long] {
        cloud
            .mail()
            .faults()
            .set_for_next(1, Fault::Refused(local_mail::Code::LimitExceeded));
        let payload = signature_request("ann@example.com");
        let deferred = cloud.deliver_as(id, "send-email", &payload).await;
        assert_eq!(deferred.status, 200, "{id}: {deferred:?}");
        assert!(
            deferred.body["deferredUntil"].is_string(),
            "{id}: {deferred:?}"
        );
    }
    let page = cloud.get("/api/queue/jobs?status=deferred").await.body;
    assert_eq!(page["items"].as_array().unwrap().len(), 4, "{page:#}");
}
