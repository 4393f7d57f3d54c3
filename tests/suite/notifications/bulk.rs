//! Many notifications: in jobs of a hundred, with progress, and each once despite killed instances.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use local::cloud::Database;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{SEND_NOTIFICATION, Stage};
use crate::support::cloud::fresh_database;
use crate::support::proxy::{Proxy, carries};
use crate::support::waiting::eventually;

const BULK: &str = "/api/queue/notifications/bulk";

fn user(number: usize) -> Uuid {
    Uuid::from_u128(5000 + (number % 50) as u128)
}

fn items(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| json!({ "userId": user(n), "title": format!("No. {n}"), "message": "M" }))
        .collect()
}

/// Defect 27, for notifications: each retry restarted a bulk.
#[tokio::test]
async fn bulk_of_250_is_delivered_once_each_despite_killed_instances() {
    let made = fresh_database().await;
    let proxy = Proxy::start(address(&made.functions_url)).await;
    let led = proxy.lead(&made.functions_url);
    let stage = Stage::start_with(|settings| {
        settings.database = Database::Made(made);
        settings.overrides.insert("DATABASE_URL".to_owned(), led);
        settings.qstash_speed = 6_000.0;
    })
    .await;
    // Without the proxy, so that the test's own queries are not counted.
    let parts = Arc::new(AtomicUsize::new(0));
    let killed = Arc::new(AtomicUsize::new(0));
    let (kills, counted) = (Arc::clone(&killed), Arc::clone(&parts));
    let (switch, redis) = (
        stage.cloud.gateway().kill_switch(),
        stage.cloud.redis_server_addr(),
    );
    proxy.guard(move |bytes| {
        // Before a part is written, and before it is recorded as done: both leave remains.
        let point =
            carries(bytes, "from signtusk.notify(") || carries(bytes, "select signtusk.notified(");
        let strikes = point && [3, 6, 11].contains(&counted.fetch_add(1, Ordering::SeqCst));
        if strikes {
            end_leases(redis);
            kills.fetch_add(switch.kill(SEND_NOTIFICATION), Ordering::SeqCst);
        }
        !strikes
    });
    let taken = stage
        .cloud
        .post(BULK, &json!({ "notifications": items(250) }))
        .await;
    assert_eq!(taken.status, 202, "{taken:?}");
    let ids = taken.body["jobIds"].as_array().unwrap().clone();
    assert_eq!(ids.len(), 3);
    for (id, count) in ids.iter().zip([100, 100, 50]) {
        let job = stage
            .cloud
            .wait_for(id.as_str().unwrap(), "completed")
            .await;
        assert_eq!(job["result"]["created"], count, "{job:#}");
    }
    proxy.open();
    assert!(killed.load(Ordering::SeqCst) >= 3, "no instance was killed");

    let rows = "select jsonb_build_object('rows', count(*), 'titles', count(distinct title)) as value \
        from public.notifications";
    assert_eq!(
        stage.database.read(rows).await,
        json!({ "rows": 250, "titles": 250 })
    );
    for number in 0..50 {
        assert_eq!(stage.unread(user(number)).await, 5, "{number}");
        let mut ids: Vec<Value> = stage
            .events(user(number))
            .await
            .into_iter()
            .map(|(_, data)| data["notification"]["id"].clone())
            .collect();
        ids.sort_by_key(ToString::to_string);
        ids.dedup();
        assert_eq!(ids.len(), 5, "{number}: an event is missing");
    }
}

#[tokio::test]
async fn bulk_reports_its_progress_and_names_its_jobs_by_batch() {
    let stage = Stage::start().await;
    stage.cloud.qstash().hold(true);
    let taken = stage
        .cloud
        .post(BULK, &json!({ "notifications": items(101) }))
        .await;
    let batch = taken.body["batchId"].as_str().unwrap();
    let listed = stage
        .cloud
        .get(&format!("/api/queue/jobs?label={batch}"))
        .await;
    assert_eq!(
        listed.body["items"].as_array().unwrap().len(),
        2,
        "{listed:?}"
    );
    stage.cloud.qstash().hold(false);
    let id = taken.body["jobIds"][0].as_str().unwrap();
    stage.cloud.wait_for(id, "completed").await;

    for (body, pointer) in [
        (json!({ "notifications": [] }), "/notifications"),
        (json!({}), "/notifications"),
        (
            json!({ "notifications": [{ "userId": user(0), "title": "T" }] }),
            "/notifications/0/message",
        ),
    ] {
        let refused = stage.cloud.post(BULK, &body).await;
        refused.assert_invalid(pointer, &body.to_string());
    }
}

/// Progress is written at most once a second: a slow bulk shows it.
#[tokio::test]
async fn slow_bulk_shows_its_progress_while_running() {
    let stage = Stage::start().await;
    stage
        .database
        .execute(
            "create function public.slow() returns trigger language plpgsql as \
             'begin perform pg_sleep(0.6); return null; end'; \
             create trigger slow after insert on public.notifications for each statement \
             when (pg_trigger_depth() = 0) execute function public.slow();",
        )
        .await;
    let payload = json!({ "type": "bulk_notification", "notifications": items(3) });
    let taken = stage.cloud.post(super::NOTIFICATIONS, &payload).await;
    let id = taken.body["jobId"].as_str().unwrap().to_owned();
    eventually("the bulk shows its progress", async || {
        let job = stage.cloud.job(&id).await;
        job["progress"]["total"] == 3
    })
    .await;
}

/// Ends every job's lease, as if its time had passed.
fn end_leases(redis: std::net::SocketAddr) {
    let client = redis::Client::open(format!("redis://{redis}")).unwrap();
    let mut connection = client.get_connection().unwrap();
    let ids: Vec<String> = redis::cmd("LRANGE")
        .arg("jobs:notification")
        .arg(0)
        .arg(-1)
        .query(&mut connection)
        .unwrap();
    for id in ids {
        let job = format!("job:{id}");
        let () = redis::cmd("HSET")
            .arg(job)
            .arg("leaseUntil")
            .arg(0)
            .query(&mut connection)
            .unwrap();
    }
}

fn address(url: &str) -> std::net::SocketAddr {
    let url = url::Url::parse(url).unwrap();
    url.socket_addrs(|| None).unwrap()[0]
}
