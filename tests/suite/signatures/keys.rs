//! The two signing keys, and the effect of a rotation on deliveries.

use std::time::Duration;

use reqwest::Client;
use serde_json::Value;

use super::{Target, Traces, assert_refused};
use crate::support::TestCloud;
use crate::support::cloud::TIMEOUT;
use crate::support::payloads::signature_request;
use crate::support::signer::Signer;

/// Returns the token of `target`'s delivery, signed with a key.
fn signed(cloud: &TestCloud, target: &Target, key: &str) -> String {
    Signer::new(key).sign(&cloud.url(&target.path()), &target.body)
}

/// Rotates the keys of the local QStash and returns both new ones.
async fn rotate(cloud: &TestCloud) -> Value {
    let http: Client = shared::protocol::http::client(TIMEOUT).unwrap();
    let url = format!("{}/v2/keys/rotate", cloud.qstash().url());
    let request = http.post(url).bearer_auth(cloud.variable("QSTASH_TOKEN"));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn current_and_next_key_are_accepted_and_a_retired_one_is_refused() {
    const CURRENT: &str = "sig_second";
    const NEXT: &str = "sig_third";
    const RETIRED: &str = "sig_first";
    let cloud = TestCloud::start_with(|settings| {
        for (name, key) in [
            ("QSTASH_CURRENT_SIGNING_KEY", CURRENT),
            ("QSTASH_NEXT_SIGNING_KEY", NEXT),
        ] {
            settings.overrides.insert(name.to_owned(), key.to_owned());
        }
    })
    .await;
    for target in Target::all() {
        let refused = target
            .deliver(&cloud, &[signed(&cloud, &target, RETIRED)])
            .await;
        assert_refused(&refused, "signed with a retired key");
    }
    Traces::assert_none(&cloud).await;

    for (count, key) in [CURRENT, NEXT].into_iter().enumerate() {
        let target = Target::send_email(&format!("job-{key}"));
        let taken = target
            .deliver(&cloud, &[signed(&cloud, &target, key)])
            .await;
        assert_eq!(taken.status, 200, "{key}: {taken:?}");
        assert_eq!(cloud.mails()["forged@example.com"], count + 1, "{key}");
        let target = Target::job_failed(&format!("job-dead-{key}"));
        let taken = target
            .deliver(&cloud, &[signed(&cloud, &target, key)])
            .await;
        assert_eq!(taken.status, 200, "{key}: {taken:?}");
    }
}

#[tokio::test]
async fn first_key_rotation_is_seamless_and_a_second_stops_deliveries_without_loss() {
    let cloud = TestCloud::start().await;
    let next = cloud.variable("QSTASH_NEXT_SIGNING_KEY").to_owned();

    let keys = rotate(&cloud).await;
    assert_eq!(
        keys["current"], next,
        "the next key has become the current one"
    );
    let id = cloud.enqueue(&signature_request("first@example.com")).await;
    cloud.wait_for(&id, "completed").await;

    let keys = rotate(&cloud).await;
    assert_ne!(keys["current"], next);
    let before = cloud.gateway().invocations("send-email");
    let id = cloud
        .enqueue(&signature_request("second@example.com"))
        .await;
    let mut waited = Duration::ZERO;
    while cloud.gateway().invocations("send-email") < before + 2 {
        assert!(waited < TIMEOUT, "the queue does not try again");
        tokio::time::sleep(Duration::from_millis(50)).await;
        waited += Duration::from_millis(50);
    }
    let job = cloud.job(&id).await;
    assert_eq!(
        job["status"], "queued",
        "refused deliveries leave no mark: {job:#}"
    );
    assert_eq!(job["attempts"], 0);
    assert!(!cloud.mails().contains_key("second@example.com"));

    // Once the functions have the key, which the test simulates here, the waiting job runs as recorded.
    let mut body = signature_request("second@example.com");
    body["jobId"] = id.as_str().into();
    assert_eq!(cloud.deliver("send-email", &body).await.status, 200);
    assert_eq!(cloud.job(&id).await["status"], "completed");
    assert_eq!(cloud.mails()["second@example.com"], 1);
}
