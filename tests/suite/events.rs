//! The sample events: each is equal to the real sender's event, and its function answers as tests/events.json states.
//! `make sam-test` checks the same for the deployed form, in a container.

use std::collections::BTreeMap;
use std::fs;

use local::event::ready;
use serde_json::Value;
use shared::base::clock::Clock;

use crate::support::TestCloud;

const TESTS: &str = env!("CARGO_MANIFEST_DIR");

/// Returns the names of the events: `<function>` or `<function>-<case>`.
fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(format!("{TESTS}/events"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.strip_suffix(".json").unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// Returns the expected response of each.
fn expectations() -> BTreeMap<String, Value> {
    serde_json::from_str(&fs::read_to_string(format!("{TESTS}/events.json")).unwrap()).unwrap()
}

/// Returns the function of an event: the longest function name that the event's name starts with (`queue-jobs` is not a
/// case of `queue`).
fn function(event: &str) -> String {
    let folders = ["api", "jobs"].map(|kind| format!("{TESTS}/../functions/{kind}"));
    let functions = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    functions
        .filter(|name| event == name || event.starts_with(&format!("{name}-")))
        .max_by_key(String::len)
        .unwrap_or_else(|| panic!("tests/events/{event}.json is named after no function"))
}

/// Asserts that an answer has these members, among others.
fn assert_holds(event: &str, body: &Value, expected: &Value) {
    for (name, value) in expected.as_object().into_iter().flatten() {
        assert_eq!(&body[name], value, "{event}: {body:#}");
    }
}

#[test]
fn every_sample_event_has_an_expected_answer_and_the_reverse() {
    let expected: Vec<String> = expectations().into_keys().collect();
    assert_eq!(names(), expected, "tests/events/ and tests/events.json");
}

#[tokio::test]
async fn every_sample_event_is_answered_as_expected() {
    let cloud = TestCloud::start().await;
    for (name, expected) in expectations() {
        let text = fs::read(format!("{TESTS}/events/{name}.json")).unwrap();
        let event = serde_json::from_slice(&text).unwrap();
        let event = ready(event, cloud.environment(), Clock::system().now()).unwrap();
        let answer = cloud.invoke(&function(&name), event).await;
        assert_eq!(
            answer.status.as_u16(),
            expected["status"],
            "{name}: {answer:?}"
        );
        assert_holds(&name, &answer.body, &expected["body"]);
    }
    let mails = cloud.mails();
    assert!(mails.contains_key("signer@example.com"), "{mails:?}");
}

#[tokio::test]
async fn delivery_changed_after_signing_is_refused() {
    let cloud = TestCloud::start().await;
    let text = fs::read(format!("{TESTS}/events/send-email-delivery.json")).unwrap();
    let event = serde_json::from_slice(&text).unwrap();
    let mut event = ready(event, cloud.environment(), Clock::system().now()).unwrap();
    let body = event["body"].as_str().unwrap().replace("Lease", "Deed");
    event["body"] = body.into();
    let answer = cloud.invoke("send-email", event).await;
    assert_eq!(answer.status, 401, "{answer:?}");
}
