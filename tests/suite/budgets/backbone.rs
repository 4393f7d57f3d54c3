//! The outbox, the schedules, and bulk actions on jobs.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::meter::Meter;
use super::{BULK, nothing};
use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};
use crate::support::ledger::LedgerDatabase;
use crate::support::payloads::{bulk, signature_request};

pub(super) async fn relaying(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let database = LedgerDatabase::of(cloud);
    let payload = signature_request("ann@example.com");
    let write = async |count: u32| {
        let call = format!(
            "select public.signtusk_enqueue_job('email', '{payload}') from generate_series(1, {count})"
        );
        database.execute(&call).await;
    };
    let mut next = 0;
    let mut message = || {
        next += 1;
        format!("msg_sweep_{next}")
    };
    // Changes of the previous checks are also waiting in the outbox.
    let drained = cloud
        .deliver_as(&message(), "relay-outbox", &json!({}))
        .await;
    assert_eq!(drained.status, 200, "{drained:?}");
    for (operation, count) in [
        ("POST /api/jobs/relay-outbox, nothing to do", 0),
        ("POST /api/jobs/relay-outbox, one row", 1),
        ("POST /api/jobs/relay-outbox, 100 rows", 100),
    ] {
        let rows = async || {
            write(count).await;
            message()
        };
        let sweep = async |message: String| {
            let swept = cloud.deliver_as(&message, "relay-outbox", &json!({})).await;
            assert_eq!(swept.body["result"]["done"], count, "{swept:?}");
        };
        meter.check(operation, rows, sweep).await;
    }
    let message = async || message();
    let compare = async |message: String| {
        let task = json!({ "task": "dead-letters" });
        let compared = cloud.deliver_as(&message, "relay-outbox", &task).await;
        assert_eq!(compared.status, StatusCode::OK, "{compared:?}");
    };
    let operation = "POST /api/jobs/relay-outbox, no dead letters";
    meter.check(operation, message, compare).await;
}

pub(super) async fn scheduling(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let put = async |()| {
        let request = cloud.request(Method::PUT, "/api/queue/schedules");
        let put = answer(with_json(request, &json!({}))).await;
        assert_eq!(put.status, StatusCode::OK, "{put:?}");
    };
    let operation = "PUT /api/queue/schedules, nothing to change";
    meter.check(operation, nothing, put).await;
    let get = async |()| {
        let shown = cloud.get("/api/queue/schedules").await;
        assert_eq!(shown.status, StatusCode::OK, "{shown:?}");
    };
    meter.check("GET /api/queue/schedules", nothing, get).await;
}

pub(super) async fn steering_many(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let batch = async || {
        let taken = cloud.post(BULK, &bulk(250)).await.body;
        (taken["batchId"].clone(), taken["jobIds"].clone())
    };
    let look = async |(id, _): (Value, Value)| {
        let path = format!("/api/queue/batches/{}", id.as_str().unwrap());
        assert_eq!(cloud.get(&path).await.body["jobs"], 3);
    };
    let operation = "GET /api/queue/batches/{batchId}, 3 jobs";
    meter.check(operation, batch, look).await;
    // Remains of the previous measurements.
    let clean = async |path: &str| {
        cloud.post(path, &json!({ "type": "email" })).await;
    };
    clean("/api/queue/jobs/retry").await;
    clean("/api/queue/jobs/cancel").await;
    let cancel = async |(id, _): (Value, Value)| {
        let cancelled = cloud
            .post("/api/queue/jobs/cancel", &json!({ "label": id }))
            .await;
        assert_eq!(cancelled.body["done"], 3, "{cancelled:?}");
    };
    let operation = "POST /api/queue/jobs/cancel, 3 jobs of 3 that wait";
    meter.check(operation, batch, cancel).await;
    let dead = async || {
        clean("/api/queue/jobs/cancel").await;
        let (_, jobs) = batch().await;
        for job in jobs.as_array().unwrap() {
            let unreadable = json!({ "jobId": job, "generation": 1, "type": "no such type" });
            cloud.deliver("send-email", &unreadable).await;
        }
    };
    let retry = async |()| {
        let request_body = json!({ "type": "email" });
        let retried = cloud.post("/api/queue/jobs/retry", &request_body).await;
        assert_eq!(retried.body["done"], 3, "{retried:?}");
    };
    let operation = "POST /api/queue/jobs/retry, 3 dead jobs";
    meter.check(operation, dead, retry).await;
}
