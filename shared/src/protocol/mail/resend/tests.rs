//! Tests of Resend against a canned server: the request, byte for byte, and the result of each answer.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Resend, SetupError};
use crate::base::secret::Secret;
use crate::protocol::canned::{Answer, Server};
#[cfg(feature = "ses")]
use crate::protocol::mail::Sender;
use crate::protocol::mail::{EmailAddress, Mail, Mailbox, SendError};

const KEY: &str = "5f2b3c";

fn mail() -> Mail {
    Mail {
        from: Mailbox::parse("J\u{f6}rg <no@example.com>").unwrap(),
        to: EmailAddress::parse("ann@example.com").unwrap(),
        reply_to: Some(EmailAddress::parse("bob@example.com").unwrap()),
        subject: "Sign \u{201c}Lease\u{201d}".to_owned(),
        html: "<p>Hello</p>".to_owned(),
        text: "Hello".to_owned(),
        headers: vec![
            ("X-Second", "2".to_owned()),
            ("Auto-Submitted", "auto-generated".to_owned()),
        ],
    }
}

fn resend(url: &str, timeout: Duration) -> Resend {
    Resend::new(url, &Secret::new("re_hush".to_owned()), timeout).expect("a client")
}

fn client(server: &Server) -> Resend {
    resend(&server.url(), Duration::from_secs(20))
}

async fn answered(answer: Answer) -> Result<String, SendError> {
    let server = Server::answering([answer]);
    let sent = client(&server).send(&mail(), KEY).await;
    sent.map(|id| id.as_str().to_owned())
}

fn decision(answer: &Result<String, SendError>) -> &'static str {
    match answer {
        Ok(_) => "accepted",
        Err(SendError::Throttled { .. }) => "throttled",
        Err(SendError::Rejected { .. }) => "rejected",
        Err(SendError::Unavailable(_)) => "unavailable",
        Err(SendError::Unknown(_)) => "unknown",
        Err(SendError::NotAllowed { .. }) => "not allowed",
    }
}

fn refusal(status: u16, name: &str, message: &str) -> Answer {
    let body = json!({ "statusCode": status, "name": name, "message": message });
    Answer::json(status, &body.to_string())
}

#[tokio::test]
async fn mail_is_sent_with_its_key_as_tag_and_idempotency_key() {
    let server = Server::answering([Answer::json(200, r#"{"id":"re-1"}"#)]);
    let id = client(&server).send(&mail(), KEY).await.expect("taken");
    assert_eq!(id.as_str(), "re-1");
    let request = server.request();
    assert_eq!(request.line, "POST /emails HTTP/1.1");
    assert_eq!(request.header("authorization"), Some("Bearer re_hush"));
    assert_eq!(request.header("idempotency-key"), Some(KEY));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert!(request.header("user-agent").is_some());
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let expected = json!({
        "from": "J\u{f6}rg <no@example.com>",
        "to": ["ann@example.com"],
        "reply_to": "bob@example.com",
        "subject": "Sign \u{201c}Lease\u{201d}",
        "html": "<p>Hello</p>",
        "text": "Hello",
        "headers": { "Auto-Submitted": "auto-generated", "X-Second": "2" },
        "tags": [{ "name": "ledger", "value": KEY }],
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn repeated_mail_has_the_same_bytes() {
    let taken = || Answer::json(200, r#"{"id":"re-1"}"#);
    let server = Server::answering([taken(), taken()]);
    let mut turned = mail();
    turned.headers.reverse();
    for mail in [mail(), turned] {
        client(&server).send(&mail, KEY).await.expect("taken");
    }
    assert_eq!(server.request().body, server.request().body);
}

#[tokio::test]
async fn each_answer_is_mapped_to_its_decision() {
    let domain = "The example.com domain is not verified.";
    for (status, name, message, expected) in [
        (400, "validation_error", "Invalid `to` field.", "rejected"),
        (
            400,
            "validation_error",
            "Invalid `from` field.",
            "not allowed",
        ),
        (400, "invalid_idempotency_key", "", "not allowed"),
        (401, "missing_api_key", "", "not allowed"),
        (401, "restricted_api_key", "", "not allowed"),
        (403, "invalid_api_key", "", "not allowed"),
        (403, "validation_error", domain, "not allowed"),
        (404, "not_found", "", "not allowed"),
        (405, "method_not_allowed", "", "not allowed"),
        (409, "concurrent_idempotent_requests", "", "throttled"),
        (409, "invalid_idempotent_request", "", "accepted"),
        (422, "invalid_from_address", "", "not allowed"),
        (422, "missing_required_field", "Missing `to`.", "rejected"),
        (422, "validation_error", "Invalid `to` field.", "rejected"),
        (429, "rate_limit_exceeded", "", "throttled"),
        (429, "daily_quota_exceeded", "", "throttled"),
        (429, "monthly_quota_exceeded", "", "throttled"),
        (429, "something_new", "", "throttled"),
        (451, "security_error", "", "not allowed"),
        (500, "application_error", "", "unknown"),
        (500, "internal_server_error", "", "unknown"),
        (503, "", "", "unknown"),
    ] {
        let answer = answered(refusal(status, name, message)).await;
        assert_eq!(decision(&answer), expected, "{status} {name}: {message}");
    }
    let page = answered(Answer::Reply(
        502,
        Vec::new(),
        "<html>Bad gateway".to_owned(),
    ))
    .await;
    assert_eq!(decision(&page), "unknown");
}

#[tokio::test]
async fn limit_error_gives_the_wait_before_the_next_attempt() {
    let wait = async |answer| match answered(answer).await {
        Err(SendError::Throttled { retry_after, .. }) => retry_after,
        other => panic!("{other:?}"),
    };
    let rate = |value: &str| refusal(429, "rate_limit_exceeded", "").with(value);
    assert_eq!(
        wait(rate("Retry-After: 3")).await,
        Some(Duration::from_secs(3))
    );
    assert_eq!(wait(rate("Retry-After: soon")).await, None);
    assert_eq!(
        wait(rate("Retry-After: 18446744073709551615")).await,
        Some(Duration::from_hours(24)),
        "no answer from outside decides how long a job waits"
    );
    let hour = Some(Duration::from_hours(1));
    let day = refusal(429, "daily_quota_exceeded", "").with("Retry-After: 1");
    assert_eq!(wait(day).await, hour, "a quota outlasts a second");
    let month = wait(refusal(429, "monthly_quota_exceeded", "")).await;
    assert!(month > hour);
    let under_way = wait(refusal(409, "concurrent_idempotent_requests", "")).await;
    assert!(under_way.is_some_and(|wait| wait < Duration::from_mins(1)));
}

#[tokio::test]
async fn key_reused_with_another_mail_counts_as_accepted_without_an_id() {
    let id = answered(refusal(409, "invalid_idempotent_request", "")).await;
    assert_eq!(id.expect("taken"), "");
}

#[tokio::test]
async fn success_without_a_mail_id_is_unknown() {
    let large = "x".repeat(100_000);
    for body in ["", "{}", "<html>", &large] {
        let id = answered(Answer::json(200, body)).await;
        assert_eq!(decision(&id), "unknown", "{body:.9}");
    }
}

#[tokio::test]
async fn error_names_the_code_and_no_address() {
    let words = "Invalid `to` field: ann@example.com";
    let error = answered(refusal(422, "validation_error", words)).await;
    let text = error.expect_err("refused").to_string();
    assert!(text.contains("validation_error"), "{text}");
    assert!(!text.contains('@'), "{text}");
}

#[tokio::test]
async fn unanswered_mail_is_unknown_and_unsent_mail_is_unavailable() {
    assert_eq!(decision(&answered(Answer::Cut).await), "unknown");

    let server = Server::answering([Answer::Silence]);
    let impatient = resend(&server.url(), Duration::from_millis(200));
    let late = impatient.send(&mail(), KEY).await.map(|_| String::new());
    assert_eq!(decision(&late), "unknown");

    let url = Server::answering([]).into_closed_url();
    let closed = resend(&url, Duration::from_secs(5))
        .send(&mail(), KEY)
        .await;
    let closed = closed.map(|_| String::new());
    assert_eq!(decision(&closed), "unavailable");
}

#[cfg(feature = "ses")]
#[tokio::test]
async fn header_with_a_line_break_is_rejected_before_sending() {
    let server = Server::answering([Answer::json(200, "{}")]);
    let sender = Sender::Resend(client(&server));
    let mut two = mail();
    two.subject = "Lease\r\nBcc: eve@example.com".to_owned();
    let sent = sender.send(&two, KEY).await.map(|_| String::new());
    assert_eq!(decision(&sent), "rejected");
    assert_eq!(server.requests(), 0);
}

#[test]
fn invalid_url_or_key_is_refused_and_the_key_is_not_printed() {
    let make = |url: &str, key: &str| {
        Resend::new(url, &Secret::new(key.to_owned()), Duration::from_secs(1))
    };
    for url in ["", "resend", "ftp://h", "http://h?x=1", "http://u:p@h"] {
        assert!(matches!(make(url, "k"), Err(SetupError::Url)), "{url}");
    }
    assert!(matches!(make("http://h", "a\nb"), Err(SetupError::Key)));
    assert!(!format!("{:?}", make("http://h", "re_hush")).contains("hush"));
}
