//! Redriving and cancelling many jobs.

use http::Method;
use serde_json::{Value, json};

use super::{acting, enqueue_for, kill};
use crate::support::TestCloud;
use crate::support::cloud::Answer;
use crate::support::payloads::{bulk, signature_request};

const RETRY: &str = "/api/queue/jobs/retry";
const CANCEL: &str = "/api/queue/jobs/cancel";

/// Returns the figures of an answer: matched, done, refused, remaining.
#[track_caller]
fn figures(answer: &Answer) -> [u64; 4] {
    assert_eq!(answer.status, 200, "{answer:?}");
    ["matched", "done", "refused", "remaining"].map(|name| answer.body[name].as_u64().unwrap())
}

#[tokio::test]
async fn dead_jobs_are_counted_first_and_then_exactly_those_redriven() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let mut dead = Vec::new();
    for number in 0..3 {
        let id = cloud
            .enqueue(&signature_request(&format!("s{number}@example.com")))
            .await;
        kill(&cloud, &id).await;
        dead.push(id);
    }
    let error = cloud.job(&dead[0]).await["error"]
        .as_str()
        .unwrap()
        .to_owned();
    let waiting = cloud.enqueue(&signature_request("ann@example.com")).await;

    for (request_body, count) in [
        (json!({}), 3),
        (json!({ "type": "email" }), 3),
        (json!({ "type": "relay-outbox" }), 0),
        (json!({ "error": &error[3..9] }), 3),
        (json!({ "error": error.to_uppercase() }), 0),
        (json!({ "error": "%" }), 0),
        (json!({ "from": "2020-01-01T00:00:00Z" }), 3),
        (json!({ "from": "2100-01-01T00:00:00Z" }), 0),
    ] {
        let mut dry = request_body.clone();
        dry["dryRun"] = json!(true);
        let counted = cloud.post(RETRY, &dry).await;
        assert_eq!(figures(&counted), [count, 0, 0, count], "{request_body}");
        assert_eq!(counted.body["dryRun"], true);
    }
    for id in &dead {
        assert_eq!(
            cloud.job(id).await["status"],
            "dead",
            "counting changes nothing"
        );
    }
    let redriven = cloud.post(RETRY, &json!({ "type": "email" })).await;
    assert_eq!(figures(&redriven), [3, 3, 0, 0]);
    let again = cloud.post(RETRY, &json!({ "type": "email" })).await;
    assert_eq!(figures(&again), [0, 0, 0, 0], "nothing is dead any more");
    cloud.qstash().hold(false);
    for id in dead.iter().chain([&waiting]) {
        // A redrive uses the payload of the record, not a later one.
        cloud.wait_for(id, "completed").await;
    }
    assert!(cloud.mails().values().all(|count| *count == 1));
    assert_eq!(cloud.mails().len(), 4);
}

#[tokio::test]
async fn callers_redrive_and_cancel_only_permitted_jobs() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let mine = enqueue_for(&cloud, "ann", "acme.example", "a@example.com").await;
    let hers = enqueue_for(&cloud, "bea", "acme.example", "b@example.com").await;
    let theirs = enqueue_for(&cloud, "cem", "other.example", "c@example.com").await;
    for id in [&mine, &hers, &theirs] {
        kill(&cloud, id).await;
    }
    let ann = ("ann", "user", "acme.example");
    let admin_of_acme = ("bea", "domain_admin", "acme.example");
    let dry = json!({ "dryRun": true });
    for (who, count) in [(ann, 1), (admin_of_acme, 2), (("root", "admin", "-"), 3)] {
        let counted = acting(&cloud, who, Method::POST, RETRY, Some(&dry)).await;
        assert_eq!(figures(&counted)[0], count, "{who:?}");
    }
    let redriven = acting(&cloud, ann, Method::POST, RETRY, Some(&json!({}))).await;
    assert_eq!(figures(&redriven), [1, 1, 0, 0]);
    assert_eq!(cloud.job(&hers).await["status"], "dead");
    let cancelled = acting(
        &cloud,
        admin_of_acme,
        Method::POST,
        CANCEL,
        Some(&json!({ "type": "email" })),
    )
    .await;
    assert_eq!(
        figures(&cancelled),
        [1, 1, 0, 0],
        "the one that waits again"
    );
    assert_eq!(cloud.job(&mine).await["status"], "cancelled");
    assert_eq!(cloud.job(&theirs).await["status"], "dead");
}

#[tokio::test]
async fn cancelled_batch_sends_nothing_and_leaves_other_jobs() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let taken = cloud.post("/api/queue/emails/bulk", &bulk(250)).await;
    let batch = taken.body["batchId"].as_str().unwrap();
    let other = cloud.enqueue(&signature_request("ann@example.com")).await;
    let request_body = json!({ "label": batch, "dryRun": true });
    assert_eq!(
        figures(&cloud.post(CANCEL, &request_body).await),
        [3, 0, 0, 3]
    );
    let of_nobody = json!({ "label": batch, "tenant": "other.example", "dryRun": true });
    assert_eq!(figures(&cloud.post(CANCEL, &of_nobody).await)[0], 0);
    let cancelled = cloud.post(CANCEL, &json!({ "label": batch })).await;
    assert_eq!(figures(&cancelled), [3, 3, 0, 0]);
    cloud.qstash().hold(false);
    cloud.wait_for(&other, "completed").await;
    assert_eq!(cloud.mails().len(), 1, "{:?}", cloud.mails());
}

#[tokio::test]
async fn bulk_action_without_valid_bounds_is_refused() {
    let cloud = TestCloud::start().await;
    let long = "x".repeat(321);
    for (path, request_body, pointer) in [
        (CANCEL, json!({}), "/type"),
        (CANCEL, json!({ "tenant": "acme.example" }), "/type"),
        (CANCEL, json!({ "label": &long }), "/label"),
        (
            CANCEL,
            json!({ "type": "email", "tenant": &long }),
            "/tenant",
        ),
        (CANCEL, json!({ "type": "fax" }), "/type"),
        (RETRY, json!({ "error": &long }), "/error"),
        (RETRY, json!({ "from": "yesterday" }), "/from"),
        (RETRY, json!({ "type": Value::Array(vec![]) }), "/type"),
    ] {
        let refused = cloud.post(path, &request_body).await;
        refused.assert_invalid(pointer, &format!("{path} {request_body}"));
    }
}
