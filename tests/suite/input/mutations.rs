//! Valid payloads with random members replaced by random values: the result is never a 5xx.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::{ENQUEUE, assert_nobody_panicked, payload};
use crate::support::payloads::signature_request;
use crate::support::{TestCloud, seeds};

/// Generates values that payloads do not expect, and some that they do.
fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>().prop_map(Value::from),
        ".{0,600}".prop_map(Value::from),
        "[a-z]{1,9}@[a-z]{1,9}\\.[a-z]{2,3}".prop_map(Value::from),
        "https?://[a-z.:@/?#\\[\\]%]{0,40}".prop_map(Value::from),
        "-?[0-9]{1,6}-[0-9]{1,2}-[0-9]{1,2}T?[0-9:.]{0,12}Z?".prop_map(Value::from),
        Just(json!("signature-request")),
        Just(json!("reminder")),
        Just(json!("bulk")),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text,
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z]{0,12}", inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Names that a payload or the enqueue request knows.
const NAMES: [&str; 17] = [
    "type",
    "to",
    "signerName",
    "documentTitle",
    "senderName",
    "signatureUrl",
    "message",
    "dueDate",
    "requestId",
    "occurrence",
    "reminderCount",
    "emails",
    "documentId",
    "delaySeconds",
    "notBefore",
    "priority",
    "jobId",
];

/// Generates a payload and a change of it: a member set or removed.
fn mutated() -> impl Strategy<Value = Value> {
    let base = prop::sample::select(vec![
        signature_request("ann@example.com"),
        payload::reminder(),
        payload::bulk_job(3),
    ]);
    let change = (
        prop::sample::select(&NAMES[..]),
        prop::option::weighted(0.85, value()),
    );
    (base, prop::collection::vec(change, 1..3)).prop_map(|(mut payload, changes)| {
        let members = payload.as_object_mut().unwrap();
        for (name, value) in changes {
            match value {
                Some(value) => drop(members.insert(name.to_owned(), value)),
                None => drop(members.remove(name)),
            }
        }
        payload
    })
}

#[tokio::test]
async fn mutated_payload_never_causes_a_server_error() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"mutations of a request's payload");
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mutated = mutated();
    let mut taken = 0;
    for round in 0..seeds(200) {
        let payload = mutated.new_tree(&mut runner).unwrap().current();
        for route in ENQUEUE {
            let answer = cloud.post(route, &payload).await;
            match answer.status.as_u16() {
                202 => taken += 1,
                400 => answer.assert_problem(400, "malformed_json", &format!("{payload}")),
                422 => answer.assert_problem(422, "invalid_input", &format!("{payload}")),
                other => panic!("round {round}: {route} answers {other} to {payload:#}"),
            }
        }
        let answer = cloud
            .deliver_as(&format!("msg-{round}"), "send-email", &payload)
            .await;
        let status = answer.status.as_u16();
        assert!(
            matches!(status, 200 | 489),
            "round {round}: {status} to {payload:#}: {answer:?}"
        );
    }
    assert!(taken > 0, "some mutations are harmless");
    let page = cloud.get("/api/queue/jobs?limit=100").await;
    assert_eq!(
        page.status, 200,
        "whatever was recorded can be read: {page:?}"
    );
    assert_nobody_panicked(&cloud);
}
