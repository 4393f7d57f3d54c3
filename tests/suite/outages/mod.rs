//! Outages: the functions' responses, and the effects that must never occur, while a dependency fails.
//!
//! Every test ends with the same two checks: each recipient got exactly one mail, and nothing panicked.

mod answers;
mod freezes;
pub(crate) mod gate;
mod health;
mod instances;
mod postgres;
mod provider;
mod qstash;
mod redis;
mod scripts;
pub(crate) mod store;

use std::time::Duration;

use local::cloud::Settings;
use serde_json::{Value, json};

use crate::support::TestCloud;
use crate::support::cloud::{Answer, TIMEOUT};
use crate::support::payloads::signature_request;
use crate::support::waiting::{eventually, statuses};
use gate::Gate;

/// The recipient of single mails.
const ANN: &str = "ann@example.com";

/// The recipients of the mails of [`load_scripts`].
const WARM_UP: [&str; 2] = ["taught@example.com", "taught-again@example.com"];

/// Asserts that each of these recipients got one mail, that no other recipient got any, and that no function panicked.
#[track_caller]
fn assert_one_mail_each(cloud: &TestCloud, recipients: &[&str], why: &str) {
    let mails = cloud.mails();
    for recipient in recipients {
        assert_eq!(
            mails.get(*recipient),
            Some(&1),
            "{why}: {recipient} in {mails:?}"
        );
    }
    assert_eq!(mails.len(), recipients.len(), "{why}: {mails:?}");
    assert_no_panic(cloud, why);
}

/// Asserts that no function has panicked so far.
#[track_caller]
fn assert_no_panic(cloud: &TestCloud, why: &str) {
    let logs = cloud.logs();
    let panic = logs.lines().find(|line| line.contains("panicked"));
    assert_eq!(panic, None, "{why}");
}

/// Asserts that a caller was asked to retry: a problem response with Retry-After.
#[track_caller]
fn assert_come_again(answer: &Answer, code: &str, why: &str) {
    answer.assert_problem(503, code, why);
    let wait: u64 = answer.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(wait > 0, "{why}: {answer:?}");
}

/// Returns the message of a job as QStash delivers it.
fn message(id: &str, to: &str) -> Value {
    let mut body = signature_request(to);
    body["jobId"] = json!(id);
    body["generation"] = json!(1);
    body
}

/// Returns QStash's log of deliveries with this result, newest first.
async fn deliveries(cloud: &TestCloud, state: &str) -> Vec<Value> {
    let url = format!("{}/v2/events?state={state}", cloud.qstash().url());
    let client = shared::protocol::http::client(TIMEOUT).unwrap();
    let request = client.get(url).bearer_auth(cloud.variable("QSTASH_TOKEN"));
    let page = crate::support::cloud::answer(request).await.body;
    page["events"].as_array().unwrap().clone()
}

/// Returns the status of each failed delivery that will be retried, newest first.
async fn refused_deliveries(cloud: &TestCloud) -> Vec<u64> {
    let errors = deliveries(cloud, "ERROR").await;
    let status = |event: &Value| event["responseStatus"].as_u64().unwrap();
    errors.iter().map(status).collect()
}

/// Starts one instance of each called function, so that its first request is not the failing one. None of these calls
/// needs a dependency.
async fn warm(cloud: &TestCloud) {
    let invalid = cloud.post("/api/queue/emails", &json!({})).await;
    assert_eq!(invalid.status, 422, "{invalid:?}");
    for path in ["/api/jobs/send-email", "/api/queue/stats"] {
        assert_eq!(cloud.get(path).await.status, 200, "{path}");
    }
}

/// Runs every script once, so that Redis has it: a lost reply is then the reply of a script that ran.
async fn load_scripts(cloud: &TestCloud) {
    let slow = local_mail::Fault::Slow(Duration::from_millis(1100));
    cloud.mail().faults().set_for_next(1, slow);
    let id = cloud.enqueue(&signature_request(WARM_UP[0])).await;
    let job = cloud.wait_for(&id, "completed").await;
    assert!(
        job["progress"]["done"].is_u64(),
        "progress was reported: {job:#}"
    );

    let mut later = signature_request(WARM_UP[1]);
    later["delaySeconds"] = json!(100);
    let id = cloud.enqueue(&later).await;
    let path = format!("/api/queue/jobs/{id}");
    let cancelled = cloud.request(http::Method::DELETE, &path);
    assert_eq!(crate::support::cloud::answer(cancelled).await.status, 200);
    let redriven = cloud.post(&format!("{path}/retry"), &json!({})).await;
    assert_eq!(redriven.status, 202, "{redriven:?}");
    cloud.wait_for(&id, "completed").await;
    assert_eq!(cloud.get("/api/queue/jobs").await.status, 200);
}

/// Starts a cloud whose functions reach their dependencies through gates.
pub(crate) async fn gated() -> (TestCloud, Gates) {
    gated_with(|_| {}).await
}

/// Starts such a cloud with other settings.
async fn gated_with(change: impl FnOnce(&mut Settings)) -> (TestCloud, Gates) {
    let gates = Gates {
        redis: Gate::start().await,
        qstash: Gate::start().await,
        postgres: Gate::start().await,
    };
    let cloud = TestCloud::start_with(|settings| {
        let local::cloud::Database::Made(database) = &settings.database else {
            panic!("a test has a database of its own");
        };
        let overrides = [
            ("UPSTASH_REDIS_REST_URL", gates.redis.url()),
            ("QSTASH_URL", gates.qstash.url()),
            ("DATABASE_URL", gates.postgres.lead(&database.functions_url)),
        ];
        let named = overrides.map(|(name, value)| (name.to_owned(), value));
        settings.overrides.extend(named);
        settings.qstash_speed = 10.0;
        change(settings);
    })
    .await;
    gates.redis.aim(&cloud.redis().url());
    gates.qstash.aim(&cloud.qstash().url());
    (cloud, gates)
}

impl Gates {
    /// Forwards everything again.
    pub(crate) fn open(&self) {
        for gate in [&self.redis, &self.qstash, &self.postgres] {
            gate.open();
        }
    }
}

/// The gates between the functions and their dependencies.
pub(crate) struct Gates {
    pub(crate) redis: Gate,
    pub(crate) qstash: Gate,
    pub(crate) postgres: Gate,
}
