//! The service token: required for everything; the read-only token allows only reads.

use http::Method;
use serde_json::json;

use super::ENQUEUE;
use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer, with_json};
use crate::support::payloads::{bulk, signature_request};

const READS: [&str; 3] = ["/api/queue/jobs", "/api/queue/jobs/1", "/api/queue/stats"];
const WRITES: [(Method, &str); 4] = [
    (Method::POST, ENQUEUE[0]),
    (Method::POST, ENQUEUE[1]),
    (Method::DELETE, "/api/queue/jobs/1"),
    (Method::POST, "/api/queue/jobs/1/retry"),
];

fn routes() -> Vec<(Method, &'static str)> {
    let reads = READS.into_iter().map(|path| (Method::GET, path));
    reads.chain(WRITES).collect()
}

#[tokio::test]
async fn api_without_a_valid_token_is_refused_on_every_route() {
    let cloud = TestCloud::start().await;
    let token = cloud.variable("API_TOKEN");
    let wrong = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer {}", "0".repeat(token.len())),
        format!("Bearer {}", &token[..token.len() - 1]),
        format!("Bearer {token}0"),
        format!("Bearer {}", token.to_ascii_uppercase()),
        format!("Bearer {token},Bearer {token}"),
        format!("Bearer {token} {token}"),
        format!("Bearer\t{token}"),
        format!("Basic {token}"),
        format!("Bearer:{token}"),
        format!("Bearer \"{token}\""),
        format!("Bearer {}", cloud.variable("QSTASH_TOKEN")),
        format!("Bearer {}", cloud.variable("UPSTASH_REDIS_REST_TOKEN")),
        format!("Bearer {}", cloud.variable("QSTASH_CURRENT_SIGNING_KEY")),
        token.to_owned(),
        "Bearer \u{e9}".to_owned(),
        format!("Bearer {}", "x".repeat(8000)),
    ];
    for (method, path) in routes() {
        let why = format!("{method} {path}");
        let missing = answer(cloud.bare(method.clone(), path)).await;
        missing.assert_problem(401, "token_invalid", &why);
        assert_eq!(missing.headers["www-authenticate"], "Bearer", "{why}");
        for value in &wrong {
            let request = cloud
                .bare(method.clone(), path)
                .header("authorization", value);
            let refused = answer(with_json(request, &signature_request("ann@example.com"))).await;
            refused.assert_problem(401, "token_invalid", &format!("{why} with {value:.40}"));
        }
        let elsewhere = cloud.bare(
            method.clone(),
            &format!("{path}?token={token}&access_token={token}"),
        );
        let elsewhere = elsewhere
            .header("x-api-key", token)
            .header("cookie", format!("token={token}"));
        answer(elsewhere)
            .await
            .assert_problem(401, "token_invalid", "the token in other places");
    }
    let malformed = cloud.bare(Method::POST, ENQUEUE[0]).body("{");
    answer(malformed).await.assert_problem(
        401,
        "token_invalid",
        "a stranger learns nothing about bodies",
    );
    assert_eq!(cloud.get("/api/queue/jobs").await.body["items"], json!([]));
}

#[tokio::test]
async fn readonly_token_reads_and_writes_nothing() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request("ann@example.com")).await;
    let reading = cloud.variable("API_TOKEN_READONLY");
    for path in [
        "/api/queue/jobs",
        "/api/queue/stats",
        &format!("/api/queue/jobs/{id}"),
    ] {
        let read = answer(cloud.bare(Method::GET, path).bearer_auth(reading)).await;
        assert_eq!(read.status, 200, "{path}: {read:?}");
    }
    let writes = [
        (
            Method::POST,
            ENQUEUE[0].to_owned(),
            signature_request("bob@example.com"),
        ),
        (Method::POST, ENQUEUE[1].to_owned(), bulk(2)),
        (Method::DELETE, format!("/api/queue/jobs/{id}"), json!({})),
        (
            Method::POST,
            format!("/api/queue/jobs/{id}/retry"),
            json!({}),
        ),
    ];
    for (method, path, body) in writes {
        let why = format!("{method} {path}");
        let request = cloud.bare(method, &path).bearer_auth(reading);
        answer(with_json(request, &body))
            .await
            .assert_problem(403, "token_readonly", &why);
    }
    assert_eq!(cloud.job(&id).await["status"], "queued");
    let jobs = cloud.get("/api/queue/jobs").await;
    assert_eq!(
        jobs.body["items"].as_array().unwrap().len(),
        1,
        "nothing was enqueued"
    );
}

#[tokio::test]
async fn both_tokens_are_accepted_during_rotation_in_every_scheme_case() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    for name in ["API_TOKEN", "API_TOKEN_NEXT"] {
        let token = cloud.variable(name);
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let request = cloud
                .bare(Method::POST, ENQUEUE[0])
                .header("authorization", format!("{scheme} {token}"));
            let accepted = answer(with_json(request, &signature_request("ann@example.com"))).await;
            assert_eq!(accepted.status, 202, "{scheme} {name}: {accepted:?}");
        }
    }
}

#[tokio::test]
async fn public_routes_need_no_token_and_ignore_one() {
    let cloud = TestCloud::start().await;
    for path in [
        "/api/health/redis",
        "/api/openapi.json",
        "/api/jobs/send-email",
        "/api/jobs/job-failed",
    ] {
        assert_eq!(
            answer(cloud.bare(Method::GET, path)).await.status,
            200,
            "{path}"
        );
        let wrong = cloud.bare(Method::GET, path).bearer_auth("wrong");
        assert_eq!(answer(wrong).await.status, 200, "{path}");
    }
}

/// Defect 7: without a configured key, a caller without a key was the administrator.
#[tokio::test]
async fn unset_token_is_never_accepted() {
    let cloud = TestCloud::start_with(|settings| {
        let unset = ["API_TOKEN_NEXT", "API_TOKEN_READONLY"];
        let unset = unset.map(|name| (name.to_owned(), String::new()));
        settings.overrides.extend(unset);
    })
    .await;
    for path in ["/api/queue/stats", "/api/queue/jobs"] {
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer undefined",
            "Bearer null",
            "Bearer \"\"",
        ] {
            let request = cloud.bare(Method::GET, path).header("authorization", value);
            let refused = answer(request).await;
            refused.assert_problem(401, "token_invalid", &format!("{path} with {value:?}"));
        }
    }
    // Health has no key: a caller with one gets the public report.
    let plain = answer(cloud.bare(Method::GET, "/api/health/redis")).await;
    let offered = cloud.bare(Method::GET, "/api/health/redis?adminKey=&key=undefined");
    let offered = answer(offered.header("x-admin-key", "undefined")).await;
    let members = |answer: &Answer| -> Vec<String> {
        let members = answer.body.as_object().unwrap();
        members.keys().cloned().collect()
    };
    assert_eq!(members(&plain), members(&offered));
}
