//! Recipients of mails, through the binaries: suppressed addresses, corrected ones, and the job's result for them.

use serde_json::{Value, json};
use shared::protocol::mail::EmailAddress;
use shared::protocol::postgres::Postgres;
use shared::service::mail::suppression::{Entry, Reason, Suppressions};

use crate::support::TestCloud;
use crate::support::payloads::signature_request;

async fn suppress(cloud: &TestCloud, email: &str, reason: Reason) {
    let suppressions = Suppressions::new(Postgres::at(cloud.database_url(), None).unwrap());
    let entry = Entry {
        email: &EmailAddress::parse(email).unwrap(),
        reason,
        note: None,
        created_by: None,
    };
    suppressions.put(&entry).await.unwrap();
}

/// Enqueues a mail and waits until its job has ended.
async fn ordered(cloud: &TestCloud, payload: &Value) -> Value {
    let id = cloud.enqueue(payload).await;
    cloud.wait_for(&id, "completed").await
}

fn reminder(to: &str) -> Value {
    let mut payload = signature_request(to);
    payload["type"] = json!("reminder");
    payload
}

#[tokio::test]
async fn bounced_signer_is_not_mailed_again_and_the_job_reports_it() {
    let cloud = TestCloud::start().await;
    suppress(&cloud, "ann@example.com", Reason::Bounced).await;
    let job = ordered(&cloud, &signature_request("Ann@Example.com")).await;
    assert_eq!(
        job["result"]["suppressed"],
        json!([{ "recipient": 0, "reason": "bounced" }]),
        "{job:#}"
    );
    assert_eq!(job["result"]["sent"], 0);
    assert!(cloud.mails().is_empty());
}

#[tokio::test]
async fn suppressed_recipient_of_a_bulk_does_not_stop_the_others() {
    let cloud = TestCloud::start().await;
    suppress(&cloud, "signer-1@example.com", Reason::Complained).await;
    let bulk = crate::support::payloads::bulk(3);
    let taken = cloud.post("/api/queue/emails/bulk", &bulk).await;
    let id = taken.body["jobIds"][0].as_str().unwrap().to_owned();
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["result"]["sent"], 2, "{job:#}");
    assert_eq!(job["result"]["suppressed"][0]["recipient"], 1);
    assert!(!cloud.mails().contains_key("signer-1@example.com"));
}

#[tokio::test]
async fn unsubscribed_recipient_gets_transactional_mail_but_no_reminder() {
    let cloud = TestCloud::start().await;
    suppress(&cloud, "ann@example.com", Reason::Unsubscribed).await;
    let held = ordered(&cloud, &reminder("ann@example.com")).await;
    assert_eq!(held["result"]["suppressed"][0]["reason"], "unsubscribed");
    let sent = ordered(&cloud, &signature_request("ann@example.com")).await;
    assert_eq!(sent["result"]["sent"], 1, "{sent:#}");
    assert_eq!(cloud.mails()["ann@example.com"], 1);
}

#[tokio::test]
async fn unsent_mail_to_a_corrected_address_is_superseded() {
    let cloud = TestCloud::start().await;
    let mail = |to: &str, occurrence: &str| {
        let mut payload = signature_request(to);
        payload["requestId"] = json!("r-1");
        payload["signerId"] = json!("s-1");
        payload["occurrence"] = json!(occurrence);
        payload
    };
    let mut wrong = mail("wrong@example.com", "first");
    wrong["delaySeconds"] = json!(120);
    let wrong = cloud.enqueue(&wrong).await;
    let mut right = mail("right@example.com", "corrected-1");
    right["supersedes"] = json!("first");
    let right = ordered(&cloud, &right).await;
    assert_eq!(right["result"]["sent"], 1, "{right:#}");
    let wrong = cloud.wait_for(&wrong, "completed").await;
    assert_eq!(wrong["result"]["superseded"], 1, "{wrong:#}");
    assert!(!cloud.mails().contains_key("wrong@example.com"));
    assert_eq!(cloud.mails()["right@example.com"], 1);
}

#[tokio::test]
async fn mail_sent_to_a_wrong_address_is_sent_again_to_the_corrected_one() {
    let cloud = TestCloud::start().await;
    let mut payload = signature_request("wrong@example.com");
    payload["requestId"] = json!("r-1");
    payload["signerId"] = json!("s-1");
    payload["occurrence"] = json!("first");
    ordered(&cloud, &payload).await;
    payload["to"] = json!("right@example.com");
    let repeated = ordered(&cloud, &payload).await;
    assert_eq!(
        repeated["result"]["skipped"], 1,
        "the same occurrence is the same mail"
    );
    payload["occurrence"] = json!("corrected-1");
    payload["supersedes"] = json!("first");
    ordered(&cloud, &payload).await;
    assert_eq!(cloud.mails()["right@example.com"], 1);
}
