//! API Gateway's changes to a delivery before it reaches a function.

use http::Method;

use super::{Target, Traces, assert_refused};
use crate::support::TestCloud;
use crate::support::cloud;
use crate::support::event::{event, with_body, with_header};

#[tokio::test]
async fn oversized_signature_is_refused_by_the_gateway_and_the_function() {
    let cloud = TestCloud::start().await;
    for target in Target::all() {
        for oversized in [
            "x".repeat(12_000),
            format!("{}{}", target.token(&cloud), "A".repeat(12_000)),
        ] {
            let at_gateway = target.deliver(&cloud, &[&oversized]).await;
            assert_eq!(at_gateway.status, 431, "{}", target.handler);
            assert_eq!(cloud.gateway().invocations(target.handler), 0);
        }
        for size in [5_000, 12_000, 4 << 20] {
            let path = target.path();
            let direct = with_body(event("POST", &path), &target.body, false);
            let direct = with_header(direct, "upstash-signature", &"x".repeat(size));
            let refused = cloud
                .gateway()
                .invoke(target.handler, direct)
                .await
                .unwrap();
            assert_eq!(
                refused["statusCode"], 401,
                "{} with {size} bytes",
                target.handler
            );
        }
        let before = cloud.gateway().invocations(target.handler);
        assert_eq!(before, 3);
    }
    Traces::assert_none(&cloud).await;
}

#[tokio::test]
async fn token_with_surrounding_spaces_is_refused() {
    let cloud = TestCloud::start().await;
    let target = Target::send_email("job-spaces");
    let token = target.token(&cloud);
    for spaced in [
        format!(" {token}"),
        format!("{token} "),
        format!("{token}\t"),
    ] {
        let direct = with_body(event("POST", &target.path()), &target.body, false);
        let refused = cloud
            .invoke(
                target.handler,
                with_header(direct, "upstash-signature", &spaced),
            )
            .await;
        assert_refused(&refused, &format!("{spaced:?}"));
    }
    Traces::assert_none(&cloud).await;
}

#[tokio::test]
async fn base64_body_is_verified_over_its_decoded_bytes() {
    let cloud = TestCloud::start().await;
    for target in Target::all() {
        let token = target.token(&cloud);
        let wrapped = with_body(event("POST", &target.path()), &target.body, true);
        let wrapped = with_header(wrapped, "upstash-signature", &token);

        let mut unwrapped = wrapped.clone();
        unwrapped["isBase64Encoded"] = false.into();
        let refused = cloud.invoke(target.handler, unwrapped).await;
        assert_refused(&refused, "the signature does not cover the base64");

        let wrapped = with_header(wrapped, "upstash-message-id", "msg-wrapped");
        let answer = cloud.invoke(target.handler, wrapped).await;
        assert_eq!(answer.status, 200, "{}: {answer:?}", target.handler);
    }
    // A media type that API Gateway does not treat as text makes it use base64 itself.
    let target = Target::send_email("job-binary");
    let binary = cloud
        .bare(Method::POST, &target.path())
        .header("content-type", "application/octet-stream")
        .header("upstash-signature", target.token(&cloud))
        .body(target.body.clone());
    assert_eq!(cloud::answer(binary).await.status, 200);
    assert_eq!(cloud.mails()["forged@example.com"], 2);
}

#[tokio::test]
async fn other_methods_do_not_bypass_the_signature() {
    let cloud = TestCloud::start().await;
    for target in Target::all() {
        for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"] {
            let called = with_body(event(method, &target.path()), &target.body, false);
            let called = cloud
                .gateway()
                .invoke(target.handler, called)
                .await
                .unwrap();
            assert_eq!(called["statusCode"], 405, "{} {method}", target.handler);
        }
        let asked = with_body(event("GET", &target.path()), &target.body, false);
        let asked = cloud.invoke(target.handler, asked).await;
        assert_eq!(asked.body["status"], "active", "{asked:?}");
    }
    Traces::assert_none(&cloud).await;
}
