//! Invalid timing of a job.

use serde_json::{Value, json};

use super::ENQUEUE;
use crate::support::TestCloud;
use crate::support::payloads::{bulk, signature_request};

fn with(base: &Value, members: &Value) -> Value {
    let mut payload = base.clone();
    for (name, value) in members.as_object().unwrap() {
        payload[name] = value.clone();
    }
    payload
}

#[tokio::test]
async fn invalid_delay_instant_or_priority_is_refused() {
    let cloud = TestCloud::start().await;
    let table = [
        ("/delaySeconds", json!({ "delaySeconds": -1 })),
        (
            "/delaySeconds",
            json!({ "delaySeconds": -9_000_000_000_000_i64 }),
        ),
        ("/delaySeconds", json!({ "delaySeconds": 1.5 })),
        ("/delaySeconds", json!({ "delaySeconds": 604_801 })),
        ("/delaySeconds", json!({ "delaySeconds": 1_000_000_000 })),
        ("/delaySeconds", json!({ "delaySeconds": u32::MAX })),
        (
            "/delaySeconds",
            json!({ "delaySeconds": 4_294_967_296_u64 }),
        ),
        ("/delaySeconds", json!({ "delaySeconds": u64::MAX })),
        ("/delaySeconds", json!({ "delaySeconds": 1e300 })),
        ("/delaySeconds", json!({ "delaySeconds": "60" })),
        ("/delaySeconds", json!({ "delaySeconds": true })),
        ("/delaySeconds", json!({ "delaySeconds": [60] })),
        ("/notBefore", json!({ "notBefore": "soon" })),
        ("/notBefore", json!({ "notBefore": "" })),
        ("/notBefore", json!({ "notBefore": "2026-12-01" })),
        ("/notBefore", json!({ "notBefore": "2026-13-01T00:00:00Z" })),
        ("/notBefore", json!({ "notBefore": "9999-12-30T00:00:00Z" })),
        (
            "/notBefore",
            json!({ "notBefore": "99999-12-31T00:00:00Z" }),
        ),
        ("/notBefore", json!({ "notBefore": 1_795_512_928 })),
        ("/notBefore", json!({ "notBefore": {} })),
        (
            "/notBefore",
            json!({ "notBefore": "2026-12-01T00:00:00Z", "delaySeconds": 1 }),
        ),
        (
            "/notBefore",
            json!({ "notBefore": "2026-12-01T00:00:00Z", "delaySeconds": 0 }),
        ),
        ("/priority", json!({ "priority": "urgent" })),
        ("/priority", json!({ "priority": "HIGH" })),
        ("/priority", json!({ "priority": "" })),
        ("/priority", json!({ "priority": 1 })),
        ("/priority", json!({ "priority": null })),
        ("/priority", json!({ "priority": ["high"] })),
    ];
    for (pointer, members) in table {
        for (route, base) in ENQUEUE
            .into_iter()
            .zip([signature_request("ann@example.com"), bulk(2)])
        {
            let refused = cloud.post(route, &with(&base, &members)).await;
            refused.assert_invalid(pointer, &format!("{route} with {members}"));
        }
    }
    assert_eq!(cloud.get("/api/queue/jobs").await.body["items"], json!([]));
}

#[tokio::test]
async fn past_instant_means_at_once_and_null_means_absent() {
    let cloud = TestCloud::start().await;
    for members in [
        json!({ "notBefore": "1970-01-01T00:00:00Z" }),
        json!({ "notBefore": "-009999-01-02T01:59:59Z" }),
        json!({ "delaySeconds": 0 }),
        json!({ "delaySeconds": null, "notBefore": null }),
    ] {
        let id = cloud
            .enqueue(&with(&signature_request("ann@example.com"), &members))
            .await;
        cloud.wait_for(&id, "completed").await;
    }
}
