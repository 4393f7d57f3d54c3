//! Accepted variants of spelling, and rejected values that could be parsed.

use http::Method;
use serde_json::json;
use uuid::Uuid;

use super::assert_nobody_panicked;
use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};
use crate::support::payloads::signature_request;

#[tokio::test]
async fn encoded_body_is_refused_with_415_on_every_route() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let body = signature_request("ann@example.com");
    for (path, coding, status) in [
        ("/api/queue/emails", "gzip", 415),
        ("/api/queue/emails", "identity, br", 415),
        ("/api/sessions", "gzip", 415),
        ("/api/mail-events", "gzip", 415),
        ("/api/queue/emails", "identity", 202),
    ] {
        let request = cloud
            .request(Method::POST, path)
            .header("content-encoding", coding);
        let seen = answer(with_json(request, &body)).await;
        assert_eq!(seen.status, status, "{path}, {coding}: {seen:?}");
    }
}

#[tokio::test]
async fn negative_cost_is_refused() {
    let cloud = TestCloud::start().await;
    for (cost, status) in [
        (json!(-1), 422),
        (json!(-1e6), 422),
        (json!(0), 200),
        (json!(1), 200),
    ] {
        let body = json!({ "identifier": "ann", "cost": cost });
        let seen = cloud.post("/api/security/rate-limits/totp", &body).await;
        assert_eq!(seen.status, status, "{cost}: {seen:?}");
    }
}

#[tokio::test]
async fn proxy_and_browser_headers_never_block_a_login() {
    let cloud = TestCloud::start().await;
    let long = "x".repeat(20_000);
    for (written, kept) in [
        (long.as_str(), &long[..64]),
        ("203.0.113.9:443, 10.0.0.1", "203.0.113.9"),
        ("[::ffff:203.0.113.9]", "203.0.113.9"),
        ("\u{fc}nknown\n", "nknown"),
    ] {
        let user = Uuid::new_v4();
        let login = json!({
            "userId": user,
            "email": "\tann@example.com\r\n",
            "refreshToken": "t0",
            "userAgent": format!("Mozilla/5.0 {}", "\u{e9}".repeat(10_000)),
            "ipAddress": written,
        });
        let begun = cloud.post("/api/sessions", &login).await;
        assert_eq!(begun.status, 201, "{written:.30}: {begun:?}");
        let id = begun.body["sessionId"].as_str().unwrap();
        let session = cloud.get(&format!("/api/sessions/{id}")).await;
        assert_eq!(session.body["ipAddress"], kept, "{session:?}");
        assert_eq!(session.body["email"], "ann@example.com");
    }
    assert_nobody_panicked(&cloud);
}

#[tokio::test]
async fn address_with_surrounding_white_space_is_trimmed() {
    let cloud = TestCloud::start().await;
    for to in [
        "\tann@example.com",
        "ann@example.com\r\n",
        " \u{a0}ann@example.com \n",
    ] {
        let id = cloud.enqueue(&signature_request(to)).await;
        cloud.wait_for(&id, "completed").await;
    }
    assert_eq!(cloud.mails()["ann@example.com"], 3);
    let split = cloud
        .post("/api/queue/emails", &signature_request("ann@exam\nple.com"))
        .await;
    split.assert_invalid("/to", "a line break in its middle");
}

#[tokio::test]
async fn bidi_mark_is_refused_in_titles_and_names() {
    let cloud = TestCloud::start().await;
    let marks = ['\u{61c}', '\u{200e}', '\u{200f}'].into_iter();
    for mark in marks
        .chain('\u{202a}'..='\u{202e}')
        .chain('\u{2066}'..='\u{2069}')
    {
        let text = format!("Lease{mark}fdp.exe");
        for member in ["documentTitle", "senderName", "signerName"] {
            let mut mail = signature_request("ann@example.com");
            mail[member] = json!(text);
            let refused = cloud.post("/api/queue/emails", &mail).await;
            refused.assert_invalid(&format!("/{member}"), &text.escape_unicode().to_string());
        }
        let notification =
            json!({ "type": "general", "userId": Uuid::new_v4(), "title": text, "message": "x" });
        let refused = cloud.post("/api/queue/notifications", &notification).await;
        refused.assert_invalid("/title", &text.escape_unicode().to_string());
    }
}

#[tokio::test]
async fn delivery_to_a_destination_with_a_query_is_valid_for_that_query_only() {
    let cloud = TestCloud::start().await;
    let deliver = async |signed: &str, called: &str| {
        let signed = cloud.url(&format!("/api/jobs/relay-outbox{signed}"));
        let token = cloud.signer().sign(&signed, b"{}");
        let request = cloud
            .bare(Method::POST, &format!("/api/jobs/relay-outbox{called}"))
            .header("content-type", "application/json")
            .header("upstash-signature", token)
            .header("upstash-message-id", "msg_query")
            .body("{}");
        answer(request).await.status.as_u16()
    };
    for query in ["", "?source=app", "?a=%20b&c=d+e&c=%C3%BC", "?x"] {
        assert_eq!(deliver(query, query).await, 200, "{query}");
    }
    for (signed, called) in [("?source=app", ""), ("", "?source=app"), ("?a=1", "?a=2")] {
        assert_eq!(deliver(signed, called).await, 401, "{signed} at {called}");
    }
}
