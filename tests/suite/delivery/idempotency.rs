//! Equal requests with one Idempotency-Key.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use http::Method;
use local_redis_rest::Fault;
use redis::AsyncCommands as _;
use serde_json::{Value, json};
use shared::service::job::{Created, Idempotency, Jobs, NewJob, RecordState};

use super::lease::options;
use super::{delivered, figures, forget_deduplication};
use crate::support::TestCloud;
use crate::support::cloud::{Answer, TIMEOUT, answer, with_json};
use crate::support::payloads::{bulk, signature_request};
use crate::support::store::Store;

async fn enqueue(cloud: &TestCloud, path: &str, user: Option<&str>, payload: &Value) -> Answer {
    let mut request = cloud
        .request(Method::POST, path)
        .header("idempotency-key", "invite-1");
    if let Some(user) = user {
        request = request.header("x-user-id", user);
    }
    answer(with_json(request, payload)).await
}

async fn single(cloud: &TestCloud, user: Option<&str>, payload: &Value) -> Answer {
    enqueue(cloud, "/api/queue/emails", user, payload).await
}

#[tokio::test]
async fn fifty_equal_requests_at_once_create_one_job_and_one_mail() {
    // Deliveries are counted exactly: one message, delivered once.
    let cloud = TestCloud::start_with(|settings| settings.qstash_disorder = None).await;
    let payload = signature_request("ann@example.com");
    let answers = join_all((0..50).map(|_| single(&cloud, None, &payload))).await;
    for answer in &answers {
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    let ids: BTreeSet<&str> = answers
        .iter()
        .map(|answer| answer.body["jobId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let id = ids.into_iter().next().unwrap();
    cloud.wait_for(id, "completed").await;
    delivered(&cloud, 1).await;
    assert_eq!(cloud.gateway().invocations("send-email"), 1, "one message");
    assert_eq!(figures(&cloud).await["total"], 1, "one job");
    assert_eq!(cloud.mails()["ann@example.com"], 1, "one mail");

    let later = single(&cloud, None, &payload).await;
    assert_eq!(later.body["jobId"], id, "also when the job is done");
    assert_eq!(
        cloud.gateway().invocations("send-email"),
        1,
        "which is not published again"
    );
}

#[tokio::test]
async fn equivalent_bodies_are_one_request() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let mut payload = signature_request("ann@example.com");
    payload["delaySeconds"] = json!(60);
    let first = single(&cloud, None, &payload).await;
    assert_eq!(first.status, 202, "{first:?}");
    let members: Vec<String> = payload
        .as_object()
        .unwrap()
        .iter()
        .rev()
        .map(|(name, value)| format!("{} :\n {value}", json!(name)))
        .collect();
    let other = format!("{{ {} }}", members.join(" , ")).replace("60", "6.0e1");
    let request = cloud
        .request(Method::POST, "/api/queue/emails")
        .header("idempotency-key", "invite-1")
        .header("content-type", "application/json")
        .body(other.clone());
    let again = answer(request).await;
    assert_eq!(again.status, 202, "{other}: {again:?}");
    assert_eq!(again.body["jobId"], first.body["jobId"]);
}

#[tokio::test]
async fn idempotency_key_is_scoped_to_tenant_route_and_body() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let ann = signature_request("ann@example.com");
    let first = single(&cloud, None, &ann).await;
    assert_eq!(first.status, 202, "{first:?}");

    let other_body = single(&cloud, None, &signature_request("bob@example.com")).await;
    other_body.assert_problem(409, "idempotency_key_reused", "another body");

    let other_tenant = single(&cloud, Some("user-2"), &ann).await;
    assert_eq!(other_tenant.status, 202, "{other_tenant:?}");
    assert_ne!(
        other_tenant.body["jobId"], first.body["jobId"],
        "another tenant, another job"
    );

    let path = "/api/queue/emails/bulk";
    let batch = enqueue(&cloud, path, None, &bulk(250)).await;
    assert_eq!(
        batch.status, 202,
        "another route, another request: {batch:?}"
    );
    let again = enqueue(&cloud, path, None, &bulk(250)).await;
    assert_eq!(again.body, batch.body, "the same batch, all of its jobs");
    let other = enqueue(&cloud, path, None, &bulk(249)).await;
    other.assert_problem(409, "idempotency_key_reused", "another batch");
    assert_eq!(
        figures(&cloud).await["total"],
        2 + 3,
        "a rejected job is not recorded"
    );
}

#[tokio::test]
async fn request_with_a_lost_answer_is_recorded_once_and_still_published() {
    let store = Store::start().await;
    let jobs = Jobs::new(store.client());
    let key = Idempotency::new("-", "/api/queue/emails", "invite-1", b"{}");
    let new = || NewJob::new(&json!({ "to": "ann@example.com" })).unwrap();
    // Loads the script, so that the call without a response has done its work.
    let other = Idempotency::new("-", "/api/queue/emails", "invite-0", b"{}");
    assert_eq!(
        jobs.create(&options(), &[new()], Some(&other))
            .await
            .unwrap(),
        Created::New
    );

    let first = new();
    store.front.faults().set_for_next(1, Fault::CutAnswer);
    let created = jobs
        .create(&options(), std::slice::from_ref(&first), Some(&key))
        .await;
    let Ok(Created::Same {
        ids,
        record_state: RecordState::Unclaimed,
        ..
    }) = created
    else {
        panic!("{created:?}");
    };
    assert_eq!(ids.as_slice(), std::slice::from_ref(&first.id));
    let Ok(Created::Same { ids, .. }) = jobs.create(&options(), &[new()], Some(&key)).await else {
        panic!("an equal request is recognised");
    };
    assert_eq!(
        ids,
        [first.id],
        "the ids of the first time, not those of the repetition"
    );
    let figures = jobs.stats(jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(figures[0].1.total, 2);
}

#[tokio::test]
async fn key_of_a_deleted_record_publishes_the_same_job_again() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let payload = signature_request("ann@example.com");
    let first = single(&cloud, None, &payload).await;
    let many = enqueue(&cloud, "/api/queue/emails/bulk", None, &bulk(150)).await;
    let id = first.body["jobId"].as_str().unwrap();
    // The records are lost, and the messages with them; the key still exists.
    let mut redis = cloud.redis_connection().await;
    let ids = many.body["jobIds"].as_array().unwrap().iter();
    for id in ids.map(|id| id.as_str().unwrap()).chain([id]) {
        let _: () = redis.del(format!("job:{id}")).await.unwrap();
    }
    let token = cloud.variable("QSTASH_TOKEN");
    let http = shared::protocol::http::client(TIMEOUT).unwrap();
    let url = format!("{}/v2/messages", cloud.qstash().url());
    let cancelled = answer(http.delete(url).bearer_auth(token)).await;
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    forget_deduplication(&cloud).await;

    let again = single(&cloud, None, &payload).await;
    assert_eq!((again.status.as_u16(), &again.body), (202, &first.body));
    let many_again = enqueue(&cloud, "/api/queue/emails/bulk", None, &bulk(150)).await;
    assert_eq!(
        (many_again.status.as_u16(), &many_again.body),
        (202, &many.body)
    );
    cloud.qstash().hold(false);
    cloud.wait_for(id, "completed").await;
    for id in many.body["jobIds"].as_array().unwrap() {
        cloud.wait_for(id.as_str().unwrap(), "completed").await;
    }
    assert_eq!(cloud.mails().len(), 151);
    assert!(cloud.mails().values().all(|count| *count == 1));
}
