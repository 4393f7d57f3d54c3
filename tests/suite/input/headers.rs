//! Headers that are too long, missing or unreadable.

use http::{HeaderValue, Method};
use serde_json::json;

use super::assert_nobody_panicked;
use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer, with_json};
use crate::support::payloads::signature_request;

async fn enqueue(cloud: &TestCloud, name: &str, value: &[u8]) -> Answer {
    let request = cloud
        .request(Method::POST, "/api/queue/emails")
        .header(name, HeaderValue::from_bytes(value).unwrap());
    answer(with_json(request, &signature_request("ann@example.com"))).await
}

#[tokio::test]
async fn invalid_idempotency_key_is_refused() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let long = [256, 1000, 8000].map(|length| vec![b'k'; length]);
    let odd = ["", "   ", "ключ", "k\u{e9}y"].map(|key| key.as_bytes().to_vec());
    for key in long.into_iter().chain(odd).chain([b"\xff\xfe".to_vec()]) {
        let refused = enqueue(&cloud, "idempotency-key", &key).await;
        let why = format!("{} bytes: {:.20}", key.len(), String::from_utf8_lossy(&key));
        refused.assert_problem(400, "idempotency_key_invalid", &why);
    }
    let huge = enqueue(&cloud, "idempotency-key", &[b'k'; 10 << 10]).await;
    assert_eq!(huge.status, 431);
    assert_eq!(cloud.get("/api/queue/jobs").await.body["items"], json!([]));

    for key in [&[b'k'; 255][..], b"*", b"a b:c/../{}[]%00", b"k"] {
        let taken = enqueue(&cloud, "idempotency-key", key).await;
        assert_eq!(taken.status, 202, "{taken:?}");
        let again = enqueue(&cloud, "idempotency-key", key).await;
        assert_eq!(again.body["jobId"], taken.body["jobId"]);
    }
}

/// A request with an unreadable user must not count as the service itself, which may see everything.
#[tokio::test]
async fn unreadable_acting_user_is_refused_and_not_treated_as_the_service() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request("ann@example.com")).await;
    let long = "x".repeat(321);
    let huge = "x".repeat(8000);
    let odd = ["", "   ", "ü", "\u{1f600}", &long, &huge];
    for name in ["x-user-id", "x-user-role", "x-user-domain"] {
        for value in odd {
            let why = format!("{name}: {value:.20}");
            let refused = enqueue(&cloud, name, value.as_bytes()).await;
            refused.assert_problem(400, "caller_invalid", &why);
            for path in [
                "/api/queue/jobs".to_owned(),
                format!("/api/queue/jobs/{id}"),
            ] {
                let header = HeaderValue::from_bytes(value.as_bytes()).unwrap();
                let request = cloud.request(Method::GET, &path).header(name, header);
                answer(request)
                    .await
                    .assert_problem(400, "caller_invalid", &why);
            }
        }
    }
    for role in ["user", "domain_admin", "admin"] {
        let request = cloud.request(Method::GET, "/api/queue/jobs");
        answer(request.header("x-user-role", role))
            .await
            .assert_problem(400, "caller_invalid", "an unknown role");
    }
}

/// A caller without an address would bypass the block list.
#[tokio::test]
async fn unreadable_client_address_is_refused_on_every_route() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let long = "9".repeat(5000);
    for value in [
        "",
        "not an address",
        "999.0.0.1",
        "::ffff:1.2.3.4%eth0",
        "192.0.2.1,",
        "unknown, 192.0.2.1",
        &long,
    ] {
        let refused = enqueue(&cloud, "x-client-ip", value.as_bytes()).await;
        refused.assert_problem(400, "caller_invalid", value);
        let body = json!({ "identifier": "ann@example.com" });
        for (method, path) in [
            (Method::GET, "/api/queue/stats"),
            (Method::POST, "/api/security/rate-limits/totp"),
            (Method::POST, "/api/tokens/redeem"),
        ] {
            let request = cloud
                .request(method.clone(), path)
                .header("x-client-ip", value);
            let request = if method == Method::GET {
                request
            } else {
                with_json(request, &body)
            };
            answer(request).await.assert_problem(
                400,
                "caller_invalid",
                &format!("{path}: {value:.20}"),
            );
        }
    }
    assert_nobody_panicked(&cloud);
}

#[tokio::test]
async fn odd_unused_headers_are_harmless() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let long = "9".repeat(5000);
    for (name, value) in [
        ("x-user-email", "ü@example.com"),
        ("x-user-email", &long),
        ("x-forwarded-for", "unknown, , ::1"),
        ("x-forwarded-proto", "javascript"),
        ("x-forwarded-host", "mallory.example.com"),
        ("cookie", "a=b; =; ;;"),
        ("accept", "text/html"),
        ("range", "bytes=0-0"),
        ("upstash-retried", "-1"),
        ("x-http-method-override", "DELETE"),
        ("x-amzn-trace-id", "garbage"),
    ] {
        let taken = enqueue(&cloud, name, value.as_bytes()).await;
        assert_eq!(taken.status, 202, "{name}: {value:.30}: {taken:?}");
    }
    assert_nobody_panicked(&cloud);
}
