//! The operations of the person on call: getting, cancelling and redriving many jobs, and the schedules.

mod batches;
mod bulk_actions;
pub(crate) mod dead_letters;
mod load;
mod priorities;
mod schedules;
mod tenants;
mod unclaimed;

use http::Method;
use serde_json::{Value, json};

use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer, with_json};
use crate::support::payloads::signature_request;

/// Enqueues a mail for a user of a domain, and returns the job's id.
async fn enqueue_for(cloud: &TestCloud, user: &str, domain: &str, to: &str) -> String {
    let request = cloud
        .request(Method::POST, "/api/queue/emails")
        .header("x-user-id", user)
        .header("x-user-domain", domain);
    let taken = answer(with_json(request, &signature_request(to))).await;
    assert_eq!(taken.status, 202, "{taken:?}");
    taken.body["jobId"].as_str().unwrap().to_owned()
}

/// Makes an unreadable delivery, which makes its job dead.
async fn kill(cloud: &TestCloud, id: &str) {
    let unreadable = json!({ "jobId": id, "generation": 1, "type": "telegram" });
    let refused = cloud.deliver("send-email", &unreadable).await;
    assert_eq!(refused.status.as_u16(), 489, "{refused:?}");
}

/// Makes a request as an acting user.
async fn acting(
    cloud: &TestCloud,
    (user, role, domain): (&str, &str, &str),
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Answer {
    let request = cloud
        .request(method, path)
        .header("x-user-id", user)
        .header("x-user-role", role)
        .header("x-user-domain", domain);
    answer(match body {
        Some(body) => with_json(request, body),
        None => request,
    })
    .await
}
