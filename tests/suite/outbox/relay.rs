//! A sweep through the real binary.

use redis::AsyncCommands as _;
use serde_json::json;

use super::{pause, ping, result, taken, write_mail};
use crate::outages::gate::{Gate, Verdict, http_answer};
use crate::support::TestCloud;
use crate::support::cloud::{TIMEOUT, answer};
use crate::support::ledger::LedgerDatabase;
use crate::support::memory::peak;
use crate::support::payloads::signature_request;
use crate::support::proxy::carries;
use crate::support::waiting::eventually;

#[tokio::test]
async fn mail_written_with_its_change_is_sent_once_despite_repeated_relays() {
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

    // As if the relay had been killed before it recorded the result.
    let payload = signature_request("ann@example.com");
    database
        .execute(&format!(
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
async fn poison_row_is_set_aside_with_its_reason_and_blocks_no_other() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    let poison = "select public.signtusk_enqueue_job('send-fax', '{}', 'document-1')";
    database.execute(poison).await;
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

    // An operator repairs it, as in the runbook.
    let payload = signature_request("cem@example.com");
    database
        .execute(&format!(
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
async fn paused_rows_wait_in_order_and_the_rest_is_published() {
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
        .execute("update signtusk.outbox set held_until = now() where published_at is null")
        .await;
    assert_eq!(result(&ping(&cloud, "msg_2").await)["done"], 2);
    for id in [&held, &behind] {
        cloud.wait_for(id, "completed").await;
    }
}

#[tokio::test]
async fn outage_costs_no_row_an_attempt_and_the_next_sweep_publishes_all() {
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
async fn ten_thousand_rows_are_published_in_flat_memory_with_few_requests() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    cloud.qstash().hold(true);
    // The first hundred load the scripts and let the process reach its size.
    let write = |count: u32| {
        let payload = signature_request("ann@example.com");
        format!(
            "select public.signtusk_enqueue_job('email', '{payload}', case when n % 10 = 0 then 'k' || n % 7 end) \
             from generate_series(1, {count}) as n"
        )
    };
    database.execute(&write(100)).await;
    result(&ping(&cloud, "msg_0").await);
    let before = peak(&cloud, "relay-outbox");
    let (redis, qstash) = (cloud.redis().requests(), cloud.qstash().requests());
    for _ in 0..10 {
        database.execute(&write(1_000)).await;
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
    // A hundred batches: one request each, and the fixed cost of each run.
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

/// Starts a cloud with a gate before its queue. The gate rejects every request that contains `poison`, as QStash
/// rejects a batch with a malformed item.
async fn refusing(poison: &str) -> (TestCloud, Gate) {
    let gate = Gate::start().await;
    let url = gate.url();
    let cloud = TestCloud::start_with(|settings| {
        settings.overrides.insert("QSTASH_URL".to_owned(), url);
    })
    .await;
    gate.aim(&cloud.qstash().url());
    let poison = poison.to_owned();
    gate.judge(move |bytes| {
        if carries(bytes, &poison) {
            http_answer(
                "400 Bad Request",
                "",
                r#"{"error":"a header is malformed"}"#,
            )
        } else {
            Verdict::Pass
        }
    });
    (cloud, gate)
}

#[tokio::test]
async fn row_refused_by_the_queue_blocks_no_other_and_is_finally_set_aside() {
    let (cloud, _gate) = refusing("poison@example.com").await;
    let database = LedgerDatabase::of(&cloud);
    for number in 0..7 {
        write_mail(&database, &format!("s{number}@example.com"), "").await;
    }
    write_mail(&database, "poison@example.com", "").await;
    for number in 7..12 {
        write_mail(&database, &format!("s{number}@example.com"), "").await;
    }
    let swept = ping(&cloud, "msg_1").await;
    assert_eq!(
        (&result(&swept)["done"], &result(&swept)["resting"]),
        (&json!(12), &json!(1)),
        "{swept:?}"
    );
    for round in 2..=5 {
        database
            .execute("update signtusk.outbox set held_until = now() where published_at is null")
            .await;
        result(&ping(&cloud, &format!("msg_{round}")).await);
    }
    let row = "select jsonb_build_array(attempts, set_aside_at is not null, reason) as value \
               from signtusk.outbox where published_at is null";
    let row = database.read(row).await;
    assert_eq!((&row[0], &row[1]), (&json!(5), &json!(true)), "{row}");
    assert!(row[2].to_string().contains("malformed"), "{row}");
    eventually("the others went", async || cloud.mails().len() == 12).await;
}

#[tokio::test]
async fn outage_of_the_queue_does_not_stop_the_other_parts_of_a_sweep() {
    let cloud = TestCloud::start_with(|settings| {
        let nowhere = ("QSTASH_URL".to_owned(), "http://127.0.0.1:9".to_owned());
        settings.overrides.extend([nowhere]);
    })
    .await;
    let database = LedgerDatabase::of(&cloud);
    write_mail(&database, "ann@example.com", "").await;
    database
        .execute("insert into signtusk.outbox (kind, payload) values ('invalidation', '{\"kinds\": [], \"ids\": []}')")
        .await;
    // An old row to delete, and a block list to copy again.
    database
        .execute(
            "insert into signtusk.outbox (kind, payload, published_at) \
             values ('invalidation', '{}', now() - interval '4 days')",
        )
        .await;
    let mut redis = cloud.redis_connection().await;
    let _: () = redis.del("blocklist:prefixes").await.unwrap();
    let failed = cloud.deliver_as("msg_1", "relay-outbox", &json!({})).await;
    assert_eq!(failed.status, 503, "{failed:?}");
    let rows = "select jsonb_agg(jsonb_build_array(kind, published_at is not null) order by seq) as value \
                from signtusk.outbox";
    assert_eq!(
        database.read(rows).await,
        json!([["job", false], ["invalidation", true]]),
        "the old row is deleted"
    );
    let copied: bool = redis.exists("blocklist:prefixes").await.unwrap();
    assert!(copied, "the copy of the block list was made anew");
}

#[tokio::test]
async fn page_of_rows_larger_than_a_request_is_split() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    cloud.qstash().hold(true);
    database
        .execute(
            "select public.signtusk_enqueue_job('notification', jsonb_build_object('filler', repeat('x', 250000))) \
             from generate_series(1, 60)",
        )
        .await;
    let left = "select to_jsonb(count(*)) as value from signtusk.outbox where published_at is null";
    for sweep in 0..10 {
        if database.read(left).await == json!(0) {
            break;
        }
        // On a busy machine one sweep may not finish them all; the next continues.
        ping(&cloud, &format!("msg_{sweep}")).await;
    }
    assert_eq!(database.read(left).await, json!(0));
    let attempts = "select to_jsonb(max(attempts)) as value from signtusk.outbox";
    assert_eq!(database.read(attempts).await, json!(1), "none was refused");
}

#[tokio::test]
async fn job_waiting_behind_a_paused_one_is_not_republished_as_unclaimed() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    pause(&cloud, &json!({ "paused": true, "tenant": "slow.example" })).await;
    let slow = ", 'document-1', tenant => 'slow.example'";
    write_mail(&database, "ann@example.com", slow).await;
    let behind = write_mail(&database, "bob@example.com", ", 'document-1'").await;
    assert_eq!(result(&ping(&cloud, "msg_1").await)["resting"], 2);
    // Half an hour later, beside a job whose message was lost.
    cloud.qstash().hold(true);
    let lost = cloud.enqueue(&signature_request("cem@example.com")).await;
    let http = shared::protocol::http::client(TIMEOUT).unwrap();
    let url = format!("{}/v2/messages", cloud.qstash().url());
    let request = http.delete(url).bearer_auth(cloud.variable("QSTASH_TOKEN"));
    assert_eq!(answer(request).await.status, 200);
    let mut redis = cloud.redis_connection().await;
    let then = shared::base::clock::Clock::system().now().as_millisecond() - 30 * 60 * 1000;
    for id in [&behind, &lost] {
        let _: () = redis.zadd("jobs_open:email", id, then).await.unwrap();
    }
    let swept = ping(&cloud, "msg_2").await;
    assert_eq!(result(&swept)["republished"], 1, "{swept:?}");
    let after = taken(&cloud).await;
    assert_eq!(after.get(&behind), None, "it waits for the one before it");
    assert!(after.contains_key(&lost));

    // Also if it was set aside: a person has to look at it.
    database
        .execute("update signtusk.outbox set set_aside_at = now() where published_at is null")
        .await;
    let _: () = redis
        .zadd("jobs_open:email", &behind, then - 1)
        .await
        .unwrap();
    assert_eq!(result(&ping(&cloud, "msg_3").await)["republished"], 0);
}
