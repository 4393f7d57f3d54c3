//! Invalid paths, queries and methods.

use http::Method;
use serde_json::json;

use super::assert_nobody_panicked;
use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};
use crate::support::event::{event, with_header};
use crate::support::payloads::signature_request;

#[tokio::test]
async fn absurd_query_is_refused_or_harmless() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    for _ in 0..3 {
        cloud.enqueue(&signature_request("ann@example.com")).await;
    }
    let refused = [
        "limit=-1",
        "limit=0",
        "limit=101",
        "limit=1000000000",
        "limit=1e9",
        "limit=1.5",
        "limit=4294967296",
        "limit=",
        "limit=%00",
        "limit=abc",
        "limit=0x10",
        "limit=1&limit=2",
        "limit=%ff",
        "status=x",
        "status=",
        "status=Queued",
        "status=queued,dead",
        "status=queued&status=dead",
        "type=x",
        "type=",
        "type=Email",
        "type=email%00",
        "type=*",
    ];
    for query in refused {
        let answer = cloud.get(&format!("/api/queue/jobs?{query}")).await;
        answer.assert_problem(400, "malformed_query", query);
    }
    let long = "x".repeat(5000);
    let cursors = [
        "%00",
        "%25d+",
        "%5B%5E%5D",
        ".*",
        "%ff%fe",
        "99999999999999:",
        "-1",
        "'%3Breturn+1",
        "%0d%0a",
        "",
        &long,
    ];
    let cursors = cursors.map(|cursor| format!("cursor={cursor}"));
    let labels = cursors
        .each_ref()
        .map(|cursor| cursor.replace("cursor=", "label="));
    let odd = [
        "limit=100",
        "limit=%2B1",
        "x=y",
        "&&&",
        "=",
        "%",
        "%zz=%zz",
        "limit[]=1",
    ];
    let odd = odd.map(str::to_owned);
    for query in cursors.iter().chain(&labels).chain(&odd) {
        let page = cloud.get(&format!("/api/queue/jobs?{query}")).await;
        assert_eq!(page.status, 200, "{query}: {page:?}");
        let items = page.body["items"].as_array().unwrap();
        assert!(items.len() <= 3, "{query}");
    }
    let huge = cloud
        .get(&format!("/api/queue/jobs?cursor={}", "x".repeat(11_000)))
        .await;
    assert_eq!(huge.status, 431);
    for path in ["/api/queue/stats", "/api/health/redis", "/api/openapi.json"] {
        let answer = cloud
            .get(&format!("{path}?limit=-1&%00=%ff&x={long}"))
            .await;
        assert_eq!(answer.status, 200, "{path} has no query");
    }
    assert_nobody_panicked(&cloud);
}

#[tokio::test]
async fn absurd_id_finds_no_job() {
    let cloud = TestCloud::start().await;
    let long = "x".repeat(9_000);
    let medium = "x".repeat(129);
    let ids = [
        "0",
        "-",
        "*",
        "%2A",
        "job:1",
        "%00",
        "a%00b",
        "%0d%0aSet-Cookie:%20a=b",
        "%F0%9F%92%A9",
        "%E2%80%AE",
        "%25s",
        "%27%3Breturn%201",
        "%5B%5E%5D%2A",
        "{jobId}",
        "null",
        "a%20b",
        "a+b",
        "%C3%28",
        "a;b=c",
        "..%5C..",
        "018f0000-0000-7000-8000-000000000000",
        &medium,
        &long,
    ];
    for id in ids {
        for (method, path) in [
            (Method::GET, format!("/api/queue/jobs/{id}")),
            (Method::DELETE, format!("/api/queue/jobs/{id}")),
            (Method::POST, format!("/api/queue/jobs/{id}/retry")),
        ] {
            let why = format!("{method} {path:.60}");
            let refused = answer(cloud.request(method, &path)).await;
            assert_eq!(refused.status, 404, "{why}: {refused:?}");
            assert!(refused.headers.get("set-cookie").is_none(), "{why}");
        }
    }
    for path in [
        "/api/queue/jobs/",
        "/api/queue/jobs//",
        "/api/queue/jobs//retry",
        "/api/queue/jobs/a/b",
        "/api/queue/jobs/%2F",
    ] {
        let refused = cloud.get(path).await;
        assert_eq!(refused.status, 404, "{path}: {refused:?}");
    }
    let huge = cloud
        .get(&format!("/api/queue/jobs/{}", "x".repeat(10 << 10)))
        .await;
    assert_eq!(huge.status, 431);
    assert_nobody_panicked(&cloud);
}

#[tokio::test]
async fn encoded_delimiter_reaches_no_route_beyond_the_tokens_rights() {
    let cloud = TestCloud::start().await;
    for path in [
        "/api/queue/jobs/%2e%2e%2fstats",
        "/api/queue/jobs/..%2f..%2fhealth%2fredis",
        "/api/queue/jobs/..%2f..%2f..%2fetc%2fpasswd",
        "/api/queue/jobs/x%2fretry",
        "/api/queue/jobs/a%3Fb",
        "/api/queue/jobs/a%23b/retry",
    ] {
        let anonymous = answer(cloud.bare(Method::GET, path)).await;
        assert!(
            matches!(anonymous.status.as_u16(), 401 | 404 | 405),
            "{path}: {anonymous:?}"
        );
        let known = cloud.get(path).await;
        assert!(
            known.status.is_client_error() || path.ends_with("stats"),
            "{path}: {known:?}"
        );
    }
    assert_nobody_panicked(&cloud);
}

#[tokio::test]
async fn id_with_a_delimiter_stays_one_id() {
    let cloud = TestCloud::start().await;
    // A message without a record is a job whose id is the message's.
    for (message, written) in [
        ("msg?a", "msg%3Fa"),
        ("msg#a", "msg%23a"),
        ("msg/a", "msg%2Fa"),
        ("msg%41", "msg%2541"),
        ("msg+a", "msg+a"),
    ] {
        let mail = signature_request("ann@example.com");
        let delivered = cloud.deliver_as(message, "send-email", &mail).await;
        assert_eq!(delivered.status, 200, "{message}: {delivered:?}");
        let job = cloud.get(&format!("/api/queue/jobs/{written}")).await;
        assert_eq!(job.body["jobId"], message, "{job:?}");
        // The end of the route still follows the id.
        let path = format!("/api/queue/jobs/{written}/retry?x=1");
        let retried = answer(cloud.request(Method::POST, &path)).await;
        retried.assert_problem(409, "job_not_retryable", message);
    }
    for (method, path) in [
        (Method::POST, "/api/sessions/a%3Fb/refresh"),
        (Method::PUT, "/api/sessions/a%23b/totp"),
    ] {
        let request = cloud.request(method, path);
        let body = json!({ "verified": false, "refreshToken": "a", "newRefreshToken": "b" });
        let missing = answer(with_json(request, &body)).await;
        missing.assert_problem(404, "session_not_found", path);
    }
}

#[tokio::test]
async fn id_that_is_not_utf_8_is_refused_by_the_function_too() {
    let cloud = TestCloud::start().await;
    let bearer = format!("Bearer {}", cloud.variable("API_TOKEN"));
    let call = event("GET", "/api/queue/jobs/%ff%fe");
    let refused = cloud
        .invoke("queue-jobs", with_header(call, "authorization", &bearer))
        .await;
    refused.assert_problem(400, "malformed_path", "bytes that are no UTF-8");
}

#[tokio::test]
async fn unknown_method_or_route_is_refused() {
    const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];
    let cloud = TestCloud::start().await;
    let routes: [(&str, &[&str]); 10] = [
        ("/api/queue/emails", &["POST"]),
        ("/api/queue/emails/bulk", &["POST"]),
        ("/api/queue/jobs", &["GET"]),
        ("/api/queue/jobs/1", &["GET", "DELETE"]),
        ("/api/queue/jobs/1/retry", &["POST"]),
        ("/api/queue/stats", &["GET"]),
        ("/api/health/redis", &["GET"]),
        ("/api/openapi.json", &["GET"]),
        ("/api/jobs/send-email", &["GET", "POST"]),
        ("/api/jobs/job-failed", &["GET", "POST"]),
    ];
    for (path, has) in routes {
        for method in METHODS.into_iter().filter(|method| !has.contains(method)) {
            let why = format!("{method} {path}");
            let verb = Method::from_bytes(method.as_bytes()).unwrap();
            let refused = answer(cloud.request(verb, path)).await;
            refused.assert_problem(405, "method_not_allowed", &why);
            let allowed = refused.headers["allow"].to_str().unwrap();
            let allowed = allowed.split(',').filter(|method| *method != "HEAD");
            assert_eq!(allowed.collect::<Vec<_>>(), has, "{why}");
        }
    }
    let head = answer(cloud.request(Method::HEAD, "/api/queue/stats")).await;
    assert_eq!((head.status.as_u16(), head.body), (200, "".into()));
    let anonymous = answer(cloud.bare(Method::HEAD, "/api/queue/stats")).await;
    assert_eq!(
        (anonymous.status.as_u16(), anonymous.body),
        (401, "".into())
    );
    for path in [
        "/",
        "/api",
        "/api/",
        "/api/queue",
        "/api/nothing",
        "/API/queue/jobs",
        "/api/queue/emails/",
        "/api/jobs/",
        "/api/jobs/nothing",
    ] {
        assert_eq!(cloud.get(path).await.status, 404, "{path}");
        let posted = answer(cloud.request(Method::POST, path)).await;
        assert_eq!(posted.status, 404, "{path}");
    }
    for function in ["queue", "queue-jobs", "health", "openapi"] {
        let call = cloud.invoke(function, event("GET", "/api/nothing")).await;
        call.assert_problem(404, "route_not_found", function);
    }
    assert_nobody_panicked(&cloud);
}
