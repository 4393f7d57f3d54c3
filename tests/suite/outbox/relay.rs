//! A sweep through the real binary.

use serde_json::json;

use super::{pause, ping, result, write_mail};
use crate::support::TestCloud;
use crate::support::ledger::LedgerDatabase;
use crate::support::memory::peak;
use crate::support::payloads::signature_request;
use crate::support::waiting::eventually;

#[tokio::test]
async fn a_mail_written_with_the_change_that_asks_for_it_goes_once_however_often_it_is_relayed() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    let further = ", tenant => 'acme.example', priority => 'high'";
    let id = write_mail(&database, "ann@example.com", further).await;
    let first = ping(&cloud, "msg_1").await;
    assert_eq!(result(&first)["done"], 1, "{first:?}");
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["priority"], "high");
    let row = database
        .read("select to_jsonb(row) as value from signtusk.outbox as row")
        .await;
    assert_eq!(row["id"], id.as_str());
    assert_eq!(row["payload"], json!({}), "addresses are not kept");
    assert!(row["published_at"].is_string() && row["held_until"].is_string());

    // As if the relay had died before it could say so.
    let payload = signature_request("ann@example.com");
    database
        .say(&format!(
            "update signtusk.outbox set published_at = null, held_until = null, payload = '{payload}'"
        ))
        .await;
    let second = ping(&cloud, "msg_2").await;
    assert_eq!(result(&second)["done"], 1, "{second:?}");
    let repeated = cloud
        .deliver("send-email", &json_of(&id, "ann@example.com"))
        .await;
    assert_eq!(repeated.body["repeated"], true, "{repeated:?}");
    assert_eq!(cloud.mails()["ann@example.com"], 1);
    let stats = cloud.get("/api/queue/stats").await.body;
    assert_eq!(stats["email"]["total"], 1, "{stats:#}");
}

fn json_of(id: &str, to: &str) -> serde_json::Value {
    let mut body = signature_request(to);
    body["jobId"] = id.into();
    body["generation"] = 1.into();
    body
}

#[tokio::test]
async fn a_poison_row_is_set_aside_with_its_reason_and_holds_nobody_up() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    let poison = "select public.signtusk_enqueue_job('send-fax', '{}', 'document-1')";
    database.say(poison).await;
    let behind = write_mail(&database, "ann@example.com", ", 'document-1'").await;
    let other = write_mail(&database, "bob@example.com", "").await;
    let swept = ping(&cloud, "msg_1").await;
    assert_eq!(
        (&result(&swept)["done"], &result(&swept)["setAside"]),
        (&json!(2), &json!(1)),
        "{swept:?}"
    );
    for id in [&behind, &other] {
        cloud.wait_for(id, "completed").await;
    }
    let reason =
        "select to_jsonb(reason) as value from signtusk.outbox where set_aside_at is not null";
    assert_eq!(
        database.read(reason).await,
        json!("no function runs jobs of type send-fax")
    );
    let health = cloud.get("/api/health/redis").await.body;
    assert_eq!(
        health["services"]["database"]["oldestOutboxSeconds"], 0,
        "{health:#}"
    );

    // Somebody repairs it, as the runbook says.
    let payload = signature_request("cem@example.com");
    database
        .say(&format!(
            "update signtusk.outbox set job_type = 'email', payload = '{payload}', set_aside_at = null, attempts = 0 \
             where set_aside_at is not null"
        ))
        .await;
    assert_eq!(result(&ping(&cloud, "msg_2").await)["done"], 1);
    eventually("the repaired mail goes", async || {
        cloud.mails().contains_key("cem@example.com")
    })
    .await;
}

#[tokio::test]
async fn what_is_paused_waits_in_the_outbox_in_its_order_and_the_rest_goes() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    pause(&cloud, &json!({ "paused": true, "tenant": "slow.example" })).await;
    let slow = ", 'document-1', tenant => 'slow.example'";
    let held = write_mail(&database, "ann@example.com", slow).await;
    let behind = write_mail(&database, "bob@example.com", ", 'document-1'").await;
    let other = write_mail(&database, "cem@example.com", "").await;
    let swept = ping(&cloud, "msg_1").await;
    assert_eq!(
        (&result(&swept)["done"], &result(&swept)["resting"]),
        (&json!(1), &json!(2)),
        "{swept:?}"
    );
    cloud.wait_for(&other, "completed").await;
    assert_eq!(
        cloud.get(&format!("/api/queue/jobs/{held}")).await.status,
        404
    );

    pause(
        &cloud,
        &json!({ "paused": false, "tenant": "slow.example" }),
    )
    .await;
    database
        .say("update signtusk.outbox set held_until = now() where published_at is null")
        .await;
    assert_eq!(result(&ping(&cloud, "msg_2").await)["done"], 2);
    for id in [&held, &behind] {
        cloud.wait_for(id, "completed").await;
    }
}

#[tokio::test]
async fn an_outage_costs_no_row_an_attempt_and_the_next_sweep_does_them_all() {
    let cloud = TestCloud::start_with(|settings| {
        let nowhere = ("QSTASH_URL".to_owned(), "http://127.0.0.1:9".to_owned());
        settings.overrides.extend([nowhere]);
    })
    .await;
    let database = LedgerDatabase::of(&cloud);
    for number in 0..3 {
        write_mail(&database, &format!("s{number}@example.com"), "").await;
    }
    let failed = ping(&cloud, "msg_1").await;
    assert_eq!(failed.status, 503, "{failed:?}");
    let rows = "select jsonb_agg(distinct jsonb_build_array(attempts, held_until <= now(), published_at)) as value \
                from signtusk.outbox";
    assert_eq!(database.read(rows).await, json!([[0, true, null]]));
}

#[tokio::test]
async fn ten_thousand_rows_go_in_flat_memory_and_with_few_requests() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    cloud.qstash().hold(true);
    // The first hundred teach the store its scripts and the process its size.
    let write = |count: u32| {
        let payload = signature_request("ann@example.com");
        format!(
            "select public.signtusk_enqueue_job('email', '{payload}', case when n % 10 = 0 then 'k' || n % 7 end) \
             from generate_series(1, {count}) as n"
        )
    };
    database.say(&write(100)).await;
    result(&ping(&cloud, "msg_0").await);
    let before = peak(&cloud, "relay-outbox");
    let (redis, qstash) = (cloud.redis().requests(), cloud.qstash().requests());
    for _ in 0..10 {
        database.say(&write(1_000)).await;
    }
    let mut run = 1;
    while database
        .read("select to_jsonb(count(*)) as value from signtusk.outbox where published_at is null")
        .await
        != json!(0)
    {
        let swept = ping(&cloud, &format!("msg_{run}")).await;
        assert_eq!(swept.status, 200, "{swept:?}");
        run += 1;
    }
    let grown = peak(&cloud, "relay-outbox") - before;
    assert!(grown < 4096, "the relay grew by {grown} KB");
    // A hundred batches: one request each, and what each run costs by itself.
    let redis = cloud.redis().requests() - redis;
    let qstash = cloud.qstash().requests() - qstash;
    assert!(
        redis <= 100 + 10 * run,
        "{redis} requests to Redis in {run} runs"
    );
    assert!(
        qstash <= 100 + 2 * run,
        "{qstash} requests to QStash in {run} runs"
    );
    let stats = cloud.get("/api/queue/stats").await.body;
    assert_eq!(stats["email"]["total"], 10_100, "{stats:#}");
}
