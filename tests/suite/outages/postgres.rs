//! Postgres fails at a delivery: the ledger comes first, so no mail is sent without its row.

use std::time::Duration;

use local::postgres::run_script;
use serde_json::Value;

use super::gate::Verdict;
use super::{
    ANN, Gates, assert_come_again, assert_one_mail_each, eventually, gated, message,
    refused_deliveries, statuses, warm,
};
use crate::support::TestCloud;
use crate::support::payloads::signature_request;

/// Changes the functions' database as its owner.
async fn alter(cloud: &TestCloud, what: &str) {
    let mut owner = url::Url::parse(cloud.migrations_database_url()).unwrap();
    let name = owner.path()[1..].to_owned();
    owner.set_path("postgres"); // the limit on connections holds for its owner, too
    let statement = format!("alter database {name} {what}");
    run_script(owner.as_str(), &statement).await.unwrap();
}

/// Delivers a job during the outage by hand and through the queue, and returns it for the recovery.
async fn deliver_during_outage(cloud: &TestCloud, to: &str, why: &str) -> String {
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request(to)).await;
    let answer = cloud.deliver("send-email", &message(&id, to)).await;
    assert_come_again(&answer, "retry", why);
    assert_eq!(
        cloud.mails().get(to),
        None,
        "no mail without its row: {why}"
    );
    let before = refused_deliveries(cloud).await.len();
    cloud.qstash().hold(false);
    eventually("the queue was refused", async || {
        refused_deliveries(cloud).await.len() > before
    })
    .await;
    assert_eq!(refused_deliveries(cloud).await[0], 503, "{why}");
    id
}

/// Asserts that the job completed after failing, and that no mail is in doubt.
fn assert_healed(job: &Value, why: &str) {
    assert_eq!(
        statuses(job)[..3],
        ["queued", "processing", "failed"],
        "{why}: {job:#}"
    );
    assert_eq!(job["result"]["sent"], 1, "{why}: {job:#}");
    assert_eq!(job["result"]["inDoubt"], 0, "{why}: {job:#}");
}

#[tokio::test]
async fn delivery_without_postgres_sends_nothing_and_is_retried() {
    let (cloud, gates) = gated().await;
    warm(&cloud).await;

    gates.postgres.fail(Verdict::Cut);
    let id = deliver_during_outage(&cloud, "down@example.com", "postgres is down").await;
    gates.postgres.open();
    assert_healed(&cloud.wait_for(&id, "completed").await, "postgres is down");

    alter(&cloud, "set default_transaction_read_only = on").await;
    gates.postgres.sever();
    let id = deliver_during_outage(
        &cloud,
        "standby@example.com",
        "postgres is a read-only standby",
    )
    .await;
    alter(&cloud, "reset default_transaction_read_only").await;
    gates.postgres.sever();
    assert_healed(
        &cloud.wait_for(&id, "completed").await,
        "a read-only standby",
    );

    alter(&cloud, "connection limit 0").await;
    gates.postgres.sever();
    let id = deliver_during_outage(
        &cloud,
        "full@example.com",
        "postgres has no connection left",
    )
    .await;
    alter(&cloud, "connection limit -1").await;
    assert_healed(
        &cloud.wait_for(&id, "completed").await,
        "no connection left",
    );

    let recipients = [
        "down@example.com",
        "standby@example.com",
        "full@example.com",
    ];
    assert_one_mail_each(&cloud, &recipients, "postgres was away");
}

/// Runs a job that gets `verdict` once at the statement with this beginning.
async fn cut_at(cloud: &TestCloud, gates: &Gates, statement: &str, verdict: Verdict, to: &str) {
    gates.postgres.fail_at(statement, 1, verdict);
    let id = cloud.enqueue(&signature_request(to)).await;
    let job = cloud.wait_for(&id, "completed").await;
    assert!(
        gates.postgres.has_failed(),
        "{to}: {statement} was never cut"
    );
    assert_eq!(
        job["attempts"], 1,
        "{to}: repeated within the attempt: {job:#}"
    );
    assert_eq!(job["result"]["sent"], 1, "{to}: {job:#}");
    assert_eq!(job["result"]["inDoubt"], 0, "{to}: {job:#}");
}

#[tokio::test]
async fn connection_cut_during_a_statement_duplicates_no_mail_and_leaves_no_doubt() {
    let (cloud, gates) = gated().await;
    let table = [
        ("INSERT INTO", Verdict::Cut, "before-begin@example.com"),
        ("INSERT INTO", Verdict::CutAnswer, "after-begin@example.com"),
        ("UPDATE", Verdict::Cut, "before-accepted@example.com"),
        ("UPDATE", Verdict::CutAnswer, "after-accepted@example.com"),
    ];
    for (statement, verdict, to) in table.clone() {
        let statement = format!("{statement} signtusk.email_ledger");
        cut_at(&cloud, &gates, &statement, verdict, to).await;
    }
    assert_one_mail_each(&cloud, &table.map(|(.., to)| to), "cut connections");
}

#[tokio::test]
async fn accepted_mail_is_recorded_as_soon_as_postgres_is_back() {
    let (cloud, gates) = gated().await;
    gates
        .postgres
        .fail_at("UPDATE signtusk.email_ledger", 6, Verdict::Cut);
    let id = cloud.enqueue(&signature_request(ANN)).await;
    let job = cloud.wait_for(&id, "completed").await;
    assert!(gates.postgres.has_failed());
    assert_eq!(job["attempts"], 1, "the attempt holds on: {job:#}");
    assert_eq!(job["result"]["inDoubt"], 0, "{job:#}");
    assert_one_mail_each(&cloud, &[ANN], "postgres was away after the mail");
}

#[tokio::test]
async fn hanging_statement_times_out_and_its_late_effect_duplicates_nothing() {
    let (cloud, gates) = gated().await;
    let owner = cloud.migrations_database_url().to_owned();
    // Longer than two attempts of a statement, so that the delivery fails; both stay at the server.
    let lock = "lock table signtusk.email_ledger in access exclusive mode; select pg_sleep(11.5)";
    let locked = tokio::spawn(async move { run_script(&owner, lock).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(300)).await;
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request(ANN)).await;
    let answer = cloud.deliver("send-email", &message(&id, ANN)).await;
    assert_come_again(&answer, "retry", "a table is locked");
    assert!(cloud.mails().is_empty());
    cloud.qstash().hold(false);
    locked.await.unwrap();
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["result"]["sent"], 1, "{job:#}");
    assert_one_mail_each(&cloud, &[ANN], "late statements");
    drop(gates);
}
