//! The mail provider fails: nothing is lost, and only a mail that it may have accepted without a response can be sent
//! twice.

use std::time::Duration;

use local_mail::{Code, Fault};
use serde_json::{Value, json};

use super::gate::Verdict;
use super::{
    ANN, assert_no_panic, assert_one_mail_each, deliveries, eventually, gated, message,
    refused_deliveries, statuses,
};
use crate::support::TestCloud;
use crate::support::cloud::TIMEOUT;
use crate::support::payloads::{address, bulk, signature_request};

/// An exhausted quota, which is not waited out within a delivery.
const QUOTA: Fault = Fault::Refused(Code::LimitExceeded);

/// Longer than the client waits for the provider.
const TOO_SLOW: Duration = Duration::from_secs(9);

async fn enqueue_bulk(cloud: &TestCloud, count: usize) -> String {
    let taken = cloud.post("/api/queue/emails/bulk", &bulk(count)).await;
    assert_eq!(taken.status, 202, "{taken:?}");
    taken.body["jobIds"][0].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn mail_refused_temporarily_is_retried_and_sent_once() {
    let cloud = TestCloud::start().await;
    let table = [
        (Fault::ServerError, "an error of the provider"),
        (Fault::Refused(Code::SendingPaused), "sending is paused"),
        (
            Fault::Refused(Code::AccountSuspended),
            "the account is suspended",
        ),
        (
            Fault::Refused(Code::MailFromDomainNotVerified),
            "the sender is not verified",
        ),
        (
            Fault::Refused(Code::InvalidSignature),
            "the credentials are wrong",
        ),
    ];
    for (place, (fault, why)) in table.iter().enumerate() {
        cloud.mail().faults().set_for_next(1, fault.clone());
        let id = cloud.enqueue(&signature_request(&address(place))).await;
        let job = cloud.wait_for(&id, "completed").await;
        let life = ["queued", "processing", "failed", "processing", "completed"];
        assert_eq!(statuses(&job), life, "{why}: {job:#}");
        assert_eq!(job["result"]["inDoubt"], 0, "{why}: {job:#}");
        let refusals = refused_deliveries(&cloud).await;
        assert_eq!(refusals, vec![503; place + 1], "{why}");
    }
    let recipients: Vec<String> = (0..table.len()).map(address).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    assert_one_mail_each(&cloud, &recipients, "refused for a while");
}

#[tokio::test]
async fn provider_quota_defers_the_job_without_spending_a_retry() {
    // The wait for an exhausted quota is a quarter of an hour.
    let cloud = TestCloud::start_with(|settings| settings.qstash_speed = 600.0).await;
    cloud.mail().faults().set_for_next(1, QUOTA);
    let id = cloud.enqueue(&signature_request(ANN)).await;
    let job = cloud.wait_for(&id, "completed").await;
    let life = [
        "queued",
        "processing",
        "deferred",
        "processing",
        "completed",
    ];
    assert_eq!(statuses(&job), life, "{job:#}");
    assert!(
        refused_deliveries(&cloud).await.is_empty(),
        "no retry is spent"
    );
    assert_one_mail_each(&cloud, &[ANN], "the day's quota");
}

#[tokio::test]
async fn throttled_mail_is_sent_within_its_delivery() {
    let cloud = TestCloud::start().await;
    cloud.mail().faults().set_for_next(3, Fault::Throttled);
    let id = cloud.enqueue(&signature_request(ANN)).await;
    let job = cloud.wait_for(&id, "completed").await;
    let life = ["queued", "processing", "completed"];
    assert_eq!(statuses(&job), life, "{job:#}");
    assert_eq!(job["result"]["inDoubt"], 0, "{job:#}");
    assert_eq!(cloud.mail().requests(), 4);
    assert_one_mail_each(&cloud, &[ANN], "throttled three times");
}

#[tokio::test]
async fn job_throttled_for_its_whole_time_is_deferred() {
    let cloud = TestCloud::start().await;
    cloud.mail().faults().set(Some(Fault::Throttled));
    let id = cloud.enqueue(&signature_request(ANN)).await;
    let job = cloud.wait_longer_for(&id, "deferred", 2 * TIMEOUT).await;
    cloud.mail().faults().set(None);
    let note = job["timeline"][2]["note"].as_str().unwrap();
    assert!(note.contains("TooManyRequestsException"), "{job:#}");
    let asked = cloud.mail().requests();
    assert!((5..=25).contains(&asked), "{asked} calls of the provider");
    cloud.wait_for(&id, "completed").await;
    assert!(refused_deliveries(&cloud).await.is_empty());
    assert_one_mail_each(&cloud, &[ANN], "throttled for long");
}

#[tokio::test]
async fn bulk_reaching_a_quota_midway_resumes_with_unsent_mails() {
    let cloud = TestCloud::start_with(|settings| settings.qstash_speed = 600.0).await;
    cloud
        .mail()
        .faults()
        .for_recipient(&address(4), Some(QUOTA));
    let id = enqueue_bulk(&cloud, 8).await;
    let job = cloud.wait_for(&id, "deferred").await;
    assert_eq!(cloud.mails().len(), 4, "those before it are sent: {job:#}");
    cloud.mail().faults().for_recipient(&address(4), None);
    let job = cloud.wait_for(&id, "completed").await;
    let result = &job["result"];
    let counts = [&result["sent"], &result["skipped"]];
    assert_eq!(counts, [8, 0], "it continues at its cursor: {job:#}");
    let recipients: Vec<String> = (0..8).map(address).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    assert_one_mail_each(&cloud, &recipients, "a quota half way");
}

#[tokio::test]
async fn job_that_can_be_neither_sent_nor_deferred_is_retried_by_the_queue() {
    let (cloud, gates) = gated().await;
    cloud.mail().faults().set(Some(QUOTA));
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request(ANN)).await;
    gates.qstash.fail(Verdict::Cut);
    let answer = cloud.deliver("send-email", &message(&id, ANN)).await;
    super::assert_come_again(
        &answer,
        "retry",
        "a quota is used up, and the queue is down",
    );
    assert_eq!(cloud.job(&id).await["status"], "failed");
    gates.qstash.open();
    cloud.mail().faults().set(None);
    cloud.qstash().hold(false);
    cloud.wait_for(&id, "completed").await;
    assert_one_mail_each(&cloud, &[ANN], "neither sent nor put off");
}

/// Asserts the result of a bulk in which one mail gets `fault`, which leaves open whether the provider has it.
async fn assert_only_one_in_doubt(fault: Fault, why: &str) {
    let cloud = TestCloud::start().await;
    // Only its first mail: the second attempt must succeed.
    let unlucky = address(0);
    cloud.mail().faults().set_for_next(1, fault);
    let id = enqueue_bulk(&cloud, 4).await;
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["attempts"], 2, "{why}: {job:#}");
    assert_eq!(job["result"]["inDoubt"], 1, "{why}: {job:#}");
    // A mail that was accepted late arrives late.
    eventually("the unlucky one has both", async || {
        cloud.mails().get(&unlucky) == Some(&2)
    })
    .await;
    let mails = cloud.mails();
    assert_eq!(mails.len(), 4, "no recipient is missing: {why}: {mails:?}");
    for (recipient, count) in mails {
        let expected = if recipient == unlucky { 2 } else { 1 };
        assert_eq!(count, expected, "{why}: {recipient}");
    }
    assert_eq!(rows_in_doubt(&cloud).await, [unlucky], "{why}");
    assert_no_panic(&cloud, why);
}

async fn rows_in_doubt(cloud: &TestCloud) -> Vec<String> {
    let owner = cloud.migrations_database_url();
    let postgres = shared::protocol::postgres::Postgres::at(owner, None).unwrap();
    let sql = "SELECT recipient FROM signtusk.email_ledger WHERE in_doubt AND state = 'accepted'";
    let rows = postgres.query(sql, &[]).await.unwrap();
    let read = |row| shared::protocol::postgres::column(row, "recipient").unwrap();
    rows.iter().map(read).collect()
}

#[tokio::test]
async fn connection_cut_after_acceptance_duplicates_at_most_that_mail_and_marks_it() {
    assert_only_one_in_doubt(Fault::AcceptThenCut, "accepted, then cut").await;
}

#[tokio::test]
async fn provider_answer_after_the_timeout_duplicates_at_most_that_mail_and_marks_it() {
    assert_only_one_in_doubt(Fault::Slow(TOO_SLOW), "accepted too late").await;
}

#[tokio::test]
async fn refused_address_of_a_bulk_does_not_stop_the_others() {
    let cloud = TestCloud::start().await;
    cloud
        .mail()
        .faults()
        .for_recipient(&address(2), Some(Fault::Rejected));
    let id = enqueue_bulk(&cloud, 5).await;
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["result"]["sent"], 4, "{job:#}");
    let rejected = job["result"]["rejected"].as_array().unwrap();
    assert_eq!(rejected.len(), 1, "{job:#}");
    assert_eq!(
        rejected[0]["recipient"], 2,
        "by its place, not its address: {job:#}"
    );
    assert!(
        rejected[0]["reason"]
            .as_str()
            .unwrap()
            .contains("MessageRejected")
    );
    assert!(
        !job["result"].to_string().contains('@'),
        "results hold no addresses: {job:#}"
    );
    let others: Vec<String> = [0, 1, 3, 4].map(address).into();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    assert_one_mail_each(&cloud, &others, "one refused address");
}

#[tokio::test]
async fn permanently_refused_mail_is_dead_after_one_delivery() {
    let cloud = TestCloud::start().await;
    cloud.mail().faults().set(Some(Fault::Rejected));
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request(ANN)).await;
    let answer = cloud.deliver("send-email", &message(&id, ANN)).await;
    answer.assert_problem(489, "non_retryable", "refused for good");
    assert_eq!(answer.headers["upstash-nonretryable-error"], "true");
    let job = cloud.job(&id).await;
    assert_eq!(job["status"], "dead", "{job:#}");
    assert!(
        job["error"].as_str().unwrap().contains("MessageRejected"),
        "{job:#}"
    );

    cloud.qstash().hold(false);
    let by_queue = cloud.enqueue(&signature_request("bob@example.com")).await;
    cloud.wait_for(&by_queue, "dead").await;
    assert!(
        deliveries(&cloud, "RETRY").await.is_empty(),
        "never delivered again"
    );
    let stats: Value = cloud.get("/api/queue/stats").await.body;
    assert_eq!(stats["email"]["failed"], json!(2), "{stats:#}");
    assert_one_mail_each(&cloud, &[], "refused for good");
}

#[tokio::test]
async fn permanently_failing_recipients_do_not_stop_the_others_of_a_bulk() {
    let cloud = TestCloud::start_with(|settings| settings.qstash_speed = 6000.0).await;
    let poisoned = [0, 1, 2, 5].map(address);
    for to in &poisoned {
        let fault = Some(Fault::Refused(Code::NotFound));
        cloud.mail().faults().for_recipient(to, fault);
    }
    let id = enqueue_bulk(&cloud, 12).await;
    let job = cloud.wait_for(&id, "dead").await;
    let others: Vec<String> = (0..12).map(address).collect();
    let others: Vec<&str> = (others.iter().map(String::as_str))
        .filter(|to| !poisoned.iter().any(|poisoned| poisoned == to))
        .collect();
    assert_one_mail_each(&cloud, &others, "poisoned recipients");
    assert_eq!(job["attempts"], 6, "{job:#}");
}

#[tokio::test]
async fn mail_with_a_slow_ledger_row_is_not_begun_and_sent_once() {
    let cloud = TestCloud::start().await;
    let slow = Some(Fault::Slow(Duration::from_millis(6500)));
    for number in 0..3 {
        cloud
            .mail()
            .faults()
            .for_recipient(&address(number), slow.clone());
    }
    // It starts with some five seconds left, and the ledger delays it until too few are left for the provider's
    // response.
    let slowest = Some(Fault::Slow(Duration::from_secs(4)));
    cloud.mail().faults().for_recipient(&address(3), slowest);
    cloud.qstash().hold(true);
    let id = enqueue_bulk(&cloud, 4).await;
    cloud.qstash().hold(false);
    let owner = cloud.migrations_database_url();
    let postgres = shared::protocol::postgres::Postgres::at(owner, None).unwrap();
    eventually("the second is sent", async || cloud.mails().len() == 2).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let lock = postgres.transaction().await.unwrap();
    lock.execute(
        "LOCK signtusk.email_suppressions IN ACCESS EXCLUSIVE MODE",
        &[],
    )
    .await
    .unwrap();
    eventually("the third is sent", async || cloud.mails().len() == 3).await;
    tokio::time::sleep(Duration::from_millis(3300)).await;
    lock.commit().await.unwrap();
    let job = cloud.wait_for(&id, "completed").await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let recipients: Vec<String> = (0..4).map(address).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    assert_one_mail_each(&cloud, &recipients, "begun too late");
    assert_eq!(job["result"]["inDoubt"], 0, "{job:#}");
}
