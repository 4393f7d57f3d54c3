//! Genuine deliveries that are repeated: by a queue that delivers at least once, or by an attacker who recorded one.

use serde_json::json;

use super::{Target, Traces};
use crate::support::TestCloud;
use crate::support::payloads::signature_request;

#[tokio::test]
async fn replayed_delivery_of_a_finished_job_is_answered_200_and_sends_no_mail() {
    let cloud = TestCloud::start().await;
    let target = Target::send_email("job-replayed");
    let token = target.token(&cloud);
    assert_eq!(target.deliver(&cloud, &[&token]).await.status, 200);
    // The limiter counts the query of the job before the traces are counted.
    let job = cloud.job("job-replayed").await;
    let after_first = Traces::of(&cloud).await;

    for _ in 0..3 {
        let replayed = target.deliver(&cloud, &[&token]).await;
        assert_eq!(replayed.status, 200, "{replayed:?}");
        assert_eq!(replayed.body["repeated"], true);
    }
    // The message id is an unsigned header: it must not create another job from the same body.
    let text = serde_json::from_slice(&target.body).unwrap();
    let renamed = cloud.deliver_as("msg-other", "send-email", &text).await;
    assert_eq!(renamed.body["repeated"], true, "{renamed:?}");

    assert_eq!(Traces::of(&cloud).await, after_first, "no second effect");
    assert_eq!(
        cloud.job("job-replayed").await,
        job,
        "the record stays as it was"
    );
}

#[tokio::test]
async fn queued_job_is_not_run_again_by_its_replayed_message() {
    let cloud = TestCloud::start().await;
    let id = cloud.enqueue(&signature_request("ann@example.com")).await;
    let job = cloud.wait_for(&id, "completed").await;
    let mut body = signature_request("ann@example.com");
    body["jobId"] = json!(id);
    body["generation"] = json!(1);
    let replayed = cloud.deliver("send-email", &body).await;
    assert_eq!(replayed.status, 200);
    assert_eq!(replayed.body["repeated"], true);
    assert_eq!(cloud.mails()["ann@example.com"], 1);
    assert_eq!(cloud.job(&id).await, job);
}

#[tokio::test]
async fn late_failure_callback_does_not_undo_a_finished_job() {
    let cloud = TestCloud::start().await;
    let id = cloud.enqueue(&signature_request("ann@example.com")).await;
    let job = cloud.wait_for(&id, "completed").await;
    let target = Target::job_failed(&id);
    for _ in 0..2 {
        let answer = target.deliver(&cloud, &[target.token(&cloud)]).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body["kept"], true, "{answer:?}");
    }
    assert_eq!(cloud.job(&id).await, job);

    let target = Target::job_failed("job-given-up");
    let answer = target.deliver(&cloud, &[target.token(&cloud)]).await;
    assert_eq!(answer.body["status"], "dead", "{answer:?}");
    let again = target.deliver(&cloud, &[target.token(&cloud)]).await;
    assert_eq!(again.body["kept"], true, "{again:?}");
    let stats = cloud.get("/api/queue/stats").await.body;
    assert_eq!(
        stats["email"]["failed"], 1,
        "the repeated word is counted once"
    );
}
