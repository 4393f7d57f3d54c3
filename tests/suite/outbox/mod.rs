//! The outbox: its rows, and their publication.

mod continued;
mod crashes;
mod published;
mod relay;
mod rows;

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer, with_json};
use crate::support::ledger::LedgerDatabase;
use crate::support::payloads::signature_request;

/// Writes a mail to the outbox, as the web app does, and returns the job's id.
async fn write_mail(database: &LedgerDatabase, to: &str, further: &str) -> String {
    let payload = signature_request(to);
    let call = format!(
        "select to_jsonb(public.signtusk_enqueue_job('email', '{payload}'{further})) as value"
    );
    let id = database.read(&call).await;
    id.as_str().unwrap().to_owned()
}

/// Delivers a ping, as the web app publishes it, or a sweep, with a new message id. Repeats it, as QStash would, if the
/// relay ran out of time on a busy machine.
pub(crate) async fn ping(cloud: &TestCloud, message: &str) -> Answer {
    let mut answer = None;
    for _ in 0..5 {
        let delivered = cloud.deliver_as(message, "relay-outbox", &json!({})).await;
        let again = delivered.status == 503;
        answer = Some(delivered);
        if !again {
            break;
        }
    }
    answer.unwrap()
}

/// Returns the result of a successful run.
pub(crate) fn result(answer: &Answer) -> &Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    &answer.body["result"]
}

/// Returns the number of messages that the queue has accepted for each job, from its events.
async fn taken(cloud: &TestCloud) -> BTreeMap<String, usize> {
    let mut taken = BTreeMap::new();
    for event in cloud.queue_events("state=CREATED").await {
        let label = event["label"].as_str().unwrap_or_default();
        *taken.entry(label.to_owned()).or_default() += 1;
    }
    taken
}

/// Pauses or resumes e-mail.
async fn pause(cloud: &TestCloud, body: &Value) {
    let request = cloud.request(Method::PUT, "/api/queue/pauses/email");
    let paused = answer(with_json(request, body)).await;
    assert_eq!(paused.status, 200, "{paused:?}");
}
