//! The cost of each route and job at Redis and at QStash: requests at the REST front, and commands, including those in
//! scripts, at redis-server itself.

mod backbone;
mod caches;
mod idle;
mod meter;
mod notifications;
mod security;
mod sessions;

use http::{Method, StatusCode};
use local_mail::Fault;
use serde_json::{Value, json};
use shared::base::clock::Clock;
use shared::service::analytics::{self, DayCounter};
use shared::service::realtime::{self, Channel};

use self::meter::Meter;
use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};
use crate::support::payloads::{bulk, signature_request};

const EMAILS: &str = "/api/queue/emails";
const BULK: &str = "/api/queue/emails/bulk";
const SEND_EMAIL: &str = "send-email";

#[tokio::test]
async fn every_operation_costs_exactly_its_budget() {
    // Commands are counted at one redis-server, so there is no replica that would serve some of them.
    let cloud = TestCloud::start_with(|settings| settings.replica_lag = None).await;
    // Enqueued jobs stay: deliveries are made by hand, and nothing else runs meanwhile.
    cloud.qstash().hold(true);
    let mut meter = Meter::start(&cloud).await;
    enqueueing(&cloud, &mut meter).await;
    looking(&cloud, &mut meter).await;
    caches::caching(&cloud, &mut meter).await;
    steering(&cloud, &mut meter).await;
    for_nothing(&cloud, &mut meter).await;
    delivering(&cloud, &mut meter).await;
    failing(&cloud, &mut meter).await;
    backbone::relaying(&cloud, &mut meter).await;
    backbone::scheduling(&cloud, &mut meter).await;
    backbone::steering_many(&cloud, &mut meter).await;
    notifications::check(&cloud, &mut meter).await;
    services(&cloud, &mut meter).await;
    sessions::measure(&cloud, &mut meter).await;
    security::measure(&cloud, &mut meter).await;
    meter.finish();
}

#[test]
fn performance_page_lists_the_budgets() {
    let page = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/PERFORMANCE.md"
    ))
    .unwrap();
    assert!(
        page.contains(&tests::budget::table()),
        "docs/PERFORMANCE.md is behind tests/src/budget.rs: run `make bench`, or copy the table"
    );
}

async fn enqueueing(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let mail = signature_request("ann@example.com");
    meter
        .check("POST /api/queue/emails", nothing, async |()| {
            cloud.enqueue(&mail).await;
        })
        .await;
    let keyed = async |key: &str| {
        let request = cloud
            .request(Method::POST, EMAILS)
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(mail.to_string());
        accepted(answer(request).await.status);
    };
    let mut next = 0;
    let fresh = async || {
        next += 1;
        format!("key-{next}")
    };
    meter
        .check(
            "POST /api/queue/emails, with an Idempotency-Key",
            fresh,
            async |key: String| keyed(&key).await,
        )
        .await;
    meter
        .check(
            "POST /api/queue/emails, the same Idempotency-Key again",
            nothing,
            async |()| keyed("key-1").await,
        )
        .await;
    for (operation, count) in [
        ("POST /api/queue/emails/bulk, 250 recipients (3 jobs)", 250),
        (
            "POST /api/queue/emails/bulk, 10,000 recipients (100 jobs)",
            10_000,
        ),
    ] {
        let body = bulk(count);
        meter
            .check(operation, nothing, async |()| {
                accepted(cloud.post(BULK, &body).await.status);
            })
            .await;
    }
}

async fn looking(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let id = cloud.enqueue(&signature_request("ann@example.com")).await;
    let reads = |path: String| {
        async move |()| {
            let seen = cloud.get(&path).await;
            assert_eq!(seen.status, 200, "{path}: {seen:?}");
        }
    };
    let job = reads(format!("/api/queue/jobs/{id}"));
    meter
        .check("GET /api/queue/jobs/{jobId}", nothing, job)
        .await;

    let message = "msg_budget";
    done(cloud, message, &tracked(&id)).await;
    let job = reads(format!("/api/queue/jobs/{message}"));
    meter
        .check("GET /api/queue/jobs/{jobId}, by message id", nothing, job)
        .await;
    for (operation, path) in [
        (
            "GET /api/queue/jobs, a page of 20",
            "/api/queue/jobs?limit=20",
        ),
        ("GET /api/queue/stats", "/api/queue/stats"),
        ("GET /api/health/redis", "/api/health/redis"),
        ("GET /api/openapi.json", "/api/openapi.json"),
        ("GET /api/jobs/send-email", "/api/jobs/send-email"),
    ] {
        meter
            .check(operation, nothing, reads(path.to_owned()))
            .await;
    }
}

async fn steering(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let enqueued = async || cloud.enqueue(&signature_request("ann@example.com")).await;
    meter
        .check(
            "DELETE /api/queue/jobs/{jobId}",
            enqueued,
            async |id: String| {
                let path = format!("/api/queue/jobs/{id}");
                let cancelled = answer(cloud.request(Method::DELETE, &path)).await;
                assert_eq!(cancelled.body["status"], "cancelled", "{cancelled:?}");
            },
        )
        .await;
    let dead = async || {
        let id = cloud.enqueue(&signature_request("ann@example.com")).await;
        let unreadable = json!({ "jobId": id, "generation": 1, "type": "no such type" });
        let refused = cloud.deliver(SEND_EMAIL, &unreadable).await;
        assert_eq!(refused.status.as_u16(), 489, "{refused:?}");
        id
    };
    meter
        .check(
            "POST /api/queue/jobs/{jobId}/retry, of a dead job",
            dead,
            async |id: String| {
                let path = format!("/api/queue/jobs/{id}/retry");
                accepted(answer(cloud.request(Method::POST, &path)).await.status);
            },
        )
        .await;
    meter
        .check("PUT /api/queue/pauses/{type}", nothing, async |()| {
            let request = cloud.request(Method::PUT, "/api/queue/pauses/email");
            let paused = answer(with_json(request, &json!({ "paused": false }))).await;
            assert_eq!(paused.status, StatusCode::OK, "{paused:?}");
        })
        .await;
}

/// A rejected request must cost nothing after the rejection.
async fn for_nothing(cloud: &TestCloud, meter: &mut Meter<'_>) {
    meter
        .check("any route, with a wrong token", nothing, async |()| {
            let request = cloud
                .bare(Method::GET, "/api/queue/stats")
                .bearer_auth("wrong");
            assert_eq!(answer(request).await.status, 401);
        })
        .await;
    meter
        .check("POST /api/jobs/send-email, forged", nothing, async |()| {
            let request = cloud
                .bare(Method::POST, "/api/jobs/send-email")
                .header("upstash-signature", "forged")
                .body("{}");
            assert_eq!(answer(request).await.status, 401);
        })
        .await;
}

async fn delivering(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let one = async || tracked(&cloud.enqueue(&signature_request("ann@example.com")).await);
    meter
        .check(
            "POST /api/jobs/send-email, one mail (claim, budget and commit)",
            one,
            async |body: Value| done(cloud, "msg_one", &body).await,
        )
        .await;
    let ten = async || {
        let taken = cloud.post(BULK, &bulk(10)).await;
        let mut body = bulk(10);
        body["type"] = "bulk".into();
        body["jobId"] = taken.body["jobIds"][0].clone();
        body
    };
    meter
        .check(
            "POST /api/jobs/send-email, a bulk of 10 mails",
            ten,
            async |body: Value| done(cloud, "msg_ten", &body).await,
        )
        .await;
    let mut next = 0;
    let unknown = async || {
        next += 1;
        format!("msg_unknown_{next}")
    };
    let mail = signature_request("ann@example.com");
    meter
        .check(
            "POST /api/jobs/send-email, a message without a record",
            unknown,
            async |message: String| done(cloud, &message, &mail).await,
        )
        .await;
    meter
        .check(
            "POST /api/jobs/send-email, of a job that is done",
            nothing,
            async |()| done(cloud, "msg_unknown_1", &mail).await,
        )
        .await;
}

async fn failing(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let one = async || tracked(&cloud.enqueue(&signature_request("ann@example.com")).await);
    let quota = Fault::Refused(local_mail::Code::LimitExceeded);
    cloud.mail().faults().set(Some(quota));
    meter
        .check(
            "POST /api/jobs/send-email, throttled and deferred",
            one,
            async |body: Value| done(cloud, "msg_throttled", &body).await,
        )
        .await;
    cloud.mail().faults().set(None);
    let given_up = async || {
        let id = cloud.enqueue(&signature_request("ann@example.com")).await;
        json!({
            "sourceMessageId": "msg_given_up",
            "url": cloud.url("/api/jobs/send-email"),
            "sourceBody": meter::base64(&tracked(&id)),
            "status": 503,
            "retried": 5,
        })
    };
    meter
        .check(
            "POST /api/jobs/job-failed",
            given_up,
            async |body: Value| {
                let answer = cloud.deliver("job-failed", &body).await;
                assert_eq!(answer.body["status"], "dead", "{answer:?}");
            },
        )
        .await;
}

/// Measures services that other functions will call.
async fn services(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let redis = cloud.redis_client();
    meter
        .check("realtime::publish", nothing, async |()| {
            let channel = Channel::Document("request-1");
            realtime::publish(&redis, channel, "viewed", &json!({}))
                .await
                .unwrap();
        })
        .await;
    meter
        .check("analytics::count", nothing, async |()| {
            let now = Clock::system().now();
            analytics::count(&redis, DayCounter::Signatures, now)
                .await
                .unwrap();
        })
        .await;
}

async fn nothing() {}

/// Returns the body of a job's message, as the API publishes it.
fn tracked(id: &str) -> Value {
    let mut body = signature_request("ann@example.com");
    body["jobId"] = id.into();
    body
}

async fn done(cloud: &TestCloud, message: &str, body: &Value) {
    let answer = cloud.deliver_as(message, SEND_EMAIL, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn accepted(status: StatusCode) {
    assert_eq!(status, StatusCode::ACCEPTED);
}
