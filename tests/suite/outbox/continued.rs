//! A sweep whose time runs out continues in the next delivery, which it publishes itself.

use std::time::Duration;

use local::process::port::{free, loopback};
use serde_json::json;

use super::taken;
use crate::support::TestCloud;
use crate::support::ledger::LedgerDatabase;
use crate::support::payloads::signature_request;
use crate::support::proxy::{Proxy, carries};
use crate::support::waiting::statuses;

/// Starts a slow queue, and functions with little time. A function that may run for 9 s instead of 29 sweeps for one,
/// which is enough for two or three batches of a hundred.
async fn fast_cloud() -> TestCloud {
    let port = free().unwrap();
    let qstash = Proxy::start(loopback(port)).await;
    let url = format!("http://{}", qstash.address);
    qstash.guard(|bytes| {
        if carries(bytes, "POST /v2/batch") {
            tokio::task::block_in_place(|| std::thread::sleep(Duration::from_millis(400)));
        }
        true
    });
    TestCloud::start_with(|settings| {
        settings.ports.qstash = port;
        settings.overrides.insert("QSTASH_URL".to_owned(), url);
        let template = std::fs::read_to_string(&settings.template).unwrap();
        let shorter = template.replacen("Timeout: 29", "Timeout: 9", 1);
        assert_ne!(shorter, template);
        settings.template = settings.data.join("template.yaml");
        std::fs::write(&settings.template, shorter).unwrap();
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sweep_that_runs_out_of_time_continues_and_publishes_each_row_once() {
    let cloud = fast_cloud().await;
    let database = LedgerDatabase::of(&cloud);
    // Due the day after tomorrow: this test checks who publishes them, not their effect.
    let payload = signature_request("ann@example.com");
    database
        .execute(&format!(
            "select public.signtusk_enqueue_job('email', '{payload}', 'k' || n % 9, now() + interval '2 days') \
             from generate_series(1, 800) as n"
        ))
        .await;
    let first = cloud
        .deliver_as("msg_sweep", "relay-outbox", &json!({}))
        .await;
    assert_eq!(first.status, 200, "{first:?}");
    assert!(first.body["deferredUntil"].is_string(), "{first:?}");
    let sweep = cloud.wait_for("msg_sweep", "completed").await;
    let life = statuses(&sweep);
    assert!(
        life.contains(&"deferred") && !life.contains(&"failed"),
        "running out of time is no failure: {sweep:#}"
    );
    let left = "select to_jsonb(count(*)) as value from signtusk.outbox where published_at is null";
    assert_eq!(database.read(left).await, json!(0), "{sweep:#}");
    let attempts = "select to_jsonb(max(attempts)) as value from signtusk.outbox";
    assert_eq!(database.read(attempts).await, json!(1), "each is done once");
    let mut taken = taken(&cloud).await;
    let sweeps = taken.remove("msg_sweep").unwrap();
    let begun = life.iter().filter(|status| **status == "processing");
    assert_eq!(sweeps + 1, begun.count(), "{sweep:#}");
    assert_eq!(sweep["attempts"], 1, "going on is no attempt: {sweep:#}");
    assert_eq!(taken.len(), 800);
    assert!(taken.values().all(|count| *count == 1), "{taken:?}");
    let stats = cloud.get("/api/queue/stats").await.body;
    assert_eq!(stats["email"]["total"], 800, "{stats:#}");
}

#[tokio::test]
async fn ping_is_followed_by_one_delayed_run_for_rows_written_meanwhile() {
    let cloud = TestCloud::start_with(|settings| settings.qstash_speed = 1.0).await;
    let database = LedgerDatabase::of(&cloud);
    for message in ["msg_ping_1", "msg_ping_2", "msg_ping_3"] {
        let ping = json!({ "task": "ping" });
        let pinged = cloud.deliver_as(message, "relay-outbox", &ping).await;
        assert_eq!(super::result(&pinged)["done"], 0, "{pinged:?}");
    }
    // The ping for this one was dropped.
    let id = super::write_mail(&database, "ann@example.com", "").await;
    cloud.wait_for(&id, "completed").await;
    // At most one for each slot of five seconds with pings.
    let follow_ups = super::taken(&cloud).await["relay-outbox"];
    assert!((1..=2).contains(&follow_ups), "{follow_ups}");
}
