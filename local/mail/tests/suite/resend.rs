//! The endpoint with a client of Resend: stored mails, errors and their names, repetitions and faults.

use std::time::Duration;

use crate::http_client::{Answer, call};
use local_mail::resend::Code;
use local_mail::{Fault, Provider, Server, Settings, start};
use serde_json::{Value, json};
use tempfile::TempDir;

const FROM: &str = "SignTusk <noreply@signtusk.localhost>";

async fn server(data: &TempDir) -> Server {
    start(Settings::throwaway(data.path())).await.unwrap()
}

fn mail(to: &str) -> Value {
    json!({ "from": FROM, "to": to, "subject": "Hello", "html": "<p>Grüße</p>", "text": "Grüße" })
}

/// Sends a POST with the right key and a user agent.
async fn post(server: &Server, path: &str, more: &str, body: &str) -> Answer {
    let head = format!(
        "POST {path} HTTP/1.1\r\nAuthorization: Bearer re_throwaway\r\nUser-Agent: test\r\n\
         Content-Type: application/json\r\n{more}"
    );
    call(&server.resend_url(), &head, body.as_bytes()).await
}

async fn send(server: &Server, body: &Value) -> Answer {
    post(server, "/emails", "", &body.to_string()).await
}

async fn send_under(server: &Server, key: &str, body: &Value) -> Answer {
    let header = format!("Idempotency-Key: {key}\r\n");
    post(server, "/emails", &header, &body.to_string()).await
}

#[tokio::test]
async fn rate_limit_of_resend_is_answered_with_retry_after() {
    let data = tempfile::tempdir().unwrap();
    let settings = Settings {
        resend_rate: Some(2),
        ..Settings::throwaway(data.path())
    };
    let server = start(settings).await.unwrap();
    for to in ["a@b.c", "b@b.c"] {
        assert_eq!(send(&server, &mail(to)).await.status, 200);
    }
    let refused = send(&server, &mail("c@b.c")).await;
    assert_refused(&refused, 429, "rate_limit_exceeded");
    let head = refused.head.to_ascii_lowercase();
    assert!(
        head.contains("retry-after: 1") && head.contains("ratelimit-limit: 2"),
        "{head}"
    );
    assert_eq!(server.messages(None).len(), 2);
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    assert_eq!(send(&server, &mail("c@b.c")).await.status, 200);
}

/// Asserts an error in Resend's form.
#[track_caller]
fn assert_refused(answer: &Answer, status: u16, name: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let body = answer.json();
    assert_eq!(body["statusCode"], status, "{body}");
    assert_eq!(body["name"], name, "{body}");
    assert!(body["message"].is_string(), "{body}");
}

#[tokio::test]
async fn accepted_mail_is_stored_under_its_answered_id() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let mut body = mail("Jörg <joerg@example.com>");
    body["reply_to"] = json!("bob@example.com");
    body["cc"] = json!(["cc@example.com"]);
    body["headers"] = json!({ "List-Unsubscribe": "<https://signtusk.localhost/u>" });
    body["tags"] = json!([{ "name": "ledger", "value": "ab12" }]);
    body["attachments"] = json!([{ "filename": "a.pdf", "content": "QQ==" }]);
    let answer = send(&server, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mails = server.messages(Some("joerg@example.com"));
    let [kept] = &mails[..] else {
        panic!("{mails:?}")
    };
    assert_eq!(answer.json(), json!({ "id": kept.id }));
    assert_eq!(kept.provider, Provider::Resend);
    assert_eq!(kept.to, ["joerg@example.com"]);
    assert_eq!(kept.cc, ["cc@example.com"]);
    assert_eq!((kept.from.as_str(), kept.subject.as_str()), (FROM, "Hello"));
    assert_eq!(
        (kept.html.as_str(), kept.text.as_str()),
        ("<p>Grüße</p>", "Grüße")
    );
    assert_eq!(kept.reply_to, ["bob@example.com"]);
    assert_eq!(kept.headers[0].name, "List-Unsubscribe");
    assert_eq!(kept.attachments, ["a.pdf"]);
    assert_eq!(kept.tag("ledger"), Some("ab12"));
    assert_eq!(server.requests(), 1);
    let read = format!(
        "GET /emails/{} HTTP/1.1\r\nAuthorization: Bearer re_throwaway\r\nUser-Agent: test\r\n",
        kept.id
    );
    let shown = call(&server.resend_url(), &read, b"").await.json();
    assert_eq!(shown["object"], "email");
    assert_eq!(shown["to"], json!(["joerg@example.com"]));
    let unknown = read.replace(&kept.id, "none");
    assert_refused(
        &call(&server.resend_url(), &unknown, b"").await,
        404,
        "not_found",
    );
}

#[tokio::test]
async fn call_without_key_or_user_agent_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let body = mail("a@b.c").to_string();
    for (headers, status, name) in [
        ("User-Agent: test\r\n", 401, "missing_api_key"),
        (
            "User-Agent: test\r\nAuthorization: re_throwaway\r\n",
            401,
            "missing_api_key",
        ),
        (
            "User-Agent: test\r\nAuthorization: Bearer \r\n",
            401,
            "missing_api_key",
        ),
        (
            "User-Agent: test\r\nAuthorization: Bearer re_other\r\n",
            403,
            "invalid_api_key",
        ),
    ] {
        let head = format!("POST /emails HTTP/1.1\r\n{headers}");
        let answer = call(&server.resend_url(), &head, body.as_bytes()).await;
        assert_refused(&answer, status, name);
    }
    let head = "POST /emails HTTP/1.1\r\nAuthorization: Bearer re_throwaway\r\n";
    let answer = call(&server.resend_url(), head, body.as_bytes()).await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (403, "error code: 1010")
    );
    assert!(server.messages(None).is_empty());
}

/// Returns the mail with a changed member; `Null` removes it.
fn with(member: &str, value: Value) -> Value {
    let mut body = mail("a@example.com");
    body[member] = value;
    if body[member].is_null() {
        body.as_object_mut().unwrap().remove(member);
    }
    body
}

#[tokio::test]
async fn mail_refused_by_resend_gets_its_error_name_and_is_not_stored() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let many: Vec<String> = (0..51).map(|n| format!("s{n}@example.com")).collect();
    let tag = |name: &str, value: &str| with("tags", json!([{ "name": name, "value": value }]));
    let tags: Vec<Value> = (0..76)
        .map(|n| json!({ "name": format!("n{n}"), "value": "v" }))
        .collect();
    let missing = "missing_required_field";
    let invalid = "validation_error";
    for (body, status, name) in [
        (with("from", Value::Null), 422, missing),
        (with("to", Value::Null), 422, missing),
        (with("to", json!([])), 422, missing),
        (with("subject", Value::Null), 422, missing),
        (
            json!({ "from": FROM, "to": "a@b.c", "subject": "x" }),
            422,
            missing,
        ),
        (with("from", json!("nobody")), 422, "invalid_from_address"),
        (with("from", json!("a@elsewhere.example")), 403, invalid),
        (
            with("from", json!("a@sub.signtusk.localhost")),
            403,
            invalid,
        ),
        (with("to", json!("not an address")), 422, invalid),
        (with("to", json!(many)), 422, invalid),
        (with("to", json!(7)), 422, invalid),
        (with("cc", json!("a@b.c\r\nBcc: x@y.z")), 422, invalid),
        (with("reply_to", json!("nobody")), 422, invalid),
        (with("subject", json!("a\r\nBcc: x@y.z")), 422, invalid),
        (with("headers", json!({ "X-A": "b\nc" })), 422, invalid),
        (with("headers", json!({ "X A": "b" })), 422, invalid),
        (with("scheduled_at", json!("in 1 min")), 422, invalid),
        (tag("ledger", "a b"), 422, invalid),
        (tag("le.dger", "ab"), 422, invalid),
        (tag("", "ab"), 422, invalid),
        (tag("ledger", &"a".repeat(257)), 422, invalid),
        (with("tags", json!(tags)), 422, invalid),
        (
            with("attachments", json!([{ "filename": "a" }])),
            422,
            "invalid_attachment",
        ),
        (json!([]), 422, invalid),
    ] {
        let answer = send(&server, &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        assert_refused(&answer, status, name);
    }
    for body in ["", "{", "\"x"] {
        let answer = post(&server, "/emails", "", body).await;
        assert_refused(&answer, 400, "validation_error");
    }
    assert_refused(&post(&server, "/nowhere", "", "{}").await, 404, "not_found");
    let answer = call(&server.resend_url(), "GET /emails HTTP/1.1\r\n", b"").await;
    assert_refused(&answer, 405, "method_not_allowed");
    assert!(server.messages(None).is_empty());
    let fits = tag(&"n".repeat(256), &"v".repeat(256));
    assert_eq!(send(&server, &fits).await.status, 200);
}

#[tokio::test]
async fn idempotency_key_sends_once_for_its_payload_even_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let first = server(&data).await;
    let sent = send_under(&first, "key-1", &mail("a@example.com")).await;
    assert_eq!(sent.status, 200);
    let again = send_under(&first, "key-1", &mail("a@example.com")).await;
    assert_eq!((again.status, &again.body), (200, &sent.body));
    // The order of the members and the spacing are not part of the payload.
    let respelled = format!(
        "{{ \"to\": \"a@example.com\", \"text\":\"Grüße\", \"subject\":\"Hello\", \"html\":\"<p>Grüße</p>\",\
         \n\"from\": \"{FROM}\"}}"
    );
    let again = post(&first, "/emails", "Idempotency-Key: key-1\r\n", &respelled).await;
    assert_eq!((again.status, &again.body), (200, &sent.body));
    let other = send_under(&first, "key-1", &mail("b@example.com")).await;
    assert_refused(&other, 409, "invalid_idempotent_request");
    first.stop().await;
    let second = server(&data).await;
    let again = send_under(&second, "key-1", &mail("a@example.com")).await;
    assert_eq!((again.status, &again.body), (200, &sent.body));
    assert_eq!(second.messages(None).len(), 1);
    assert_eq!(
        second.messages(None)[0].idempotency_key.as_deref(),
        Some("key-1")
    );
    let other_key = send_under(&second, "key-2", &mail("a@example.com")).await;
    assert_ne!(other_key.body, sent.body);
    assert_eq!(second.messages(None).len(), 2);
}

#[tokio::test]
async fn idempotency_key_must_have_1_to_256_characters() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let fits = "k".repeat(256);
    assert_eq!(send_under(&server, &fits, &mail("a@b.c")).await.status, 200);
    for key in [String::new(), "k".repeat(257)] {
        let answer = send_under(&server, &key, &mail("a@b.c")).await;
        assert_refused(&answer, 400, "invalid_idempotency_key");
    }
}

#[tokio::test]
async fn key_in_flight_is_refused_and_a_refused_request_does_not_consume_its_key() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let slow = Fault::Slow(Duration::from_millis(500));
    server.faults().set_for_next(1, slow);
    let body = mail("a@example.com");
    let (first, second) = tokio::join!(send_under(&server, "key", &body), async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        send_under(&server, "key", &body).await
    });
    assert_eq!(first.status, 200);
    assert_refused(&second, 409, "concurrent_idempotent_requests");
    assert_eq!(send_under(&server, "key", &body).await.body, first.body);
    server.faults().set_for_next(1, Fault::ServerError);
    let refused = send_under(&server, "other", &body).await;
    assert_refused(&refused, 500, "internal_server_error");
    assert_eq!(send_under(&server, "other", &body).await.status, 200);
    assert_eq!(server.messages(None).len(), 2);
}

#[tokio::test]
async fn fifty_concurrent_repetitions_create_one_mail() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let body = mail("a@example.com");
    let calls = (0..50).map(|_| send_under(&server, "key", &body));
    let mut ids = std::collections::BTreeSet::new();
    for answer in futures_util::future::join_all(calls).await {
        match answer.status {
            200 => drop(ids.insert(answer.body)),
            _ => assert_refused(&answer, 409, "concurrent_idempotent_requests"),
        }
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(server.messages(None).len(), 1);
}

#[tokio::test]
async fn lost_answer_is_returned_again_for_its_key() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    server.faults().set_for_next(1, Fault::AcceptThenCut);
    let lost = send_under(&server, "key", &mail("a@example.com")).await;
    assert_eq!(lost.status, 0, "no answer: {}", lost.body);
    let id = server.messages(None)[0].id.clone();
    let found = send_under(&server, "key", &mail("a@example.com")).await;
    assert_eq!(found.json(), json!({ "id": id }));
    assert_eq!(server.messages(None).len(), 1);
}

#[tokio::test]
async fn batch_is_accepted_entirely_or_not_at_all() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let batch = json!([mail("a@example.com"), mail("b@example.com")]).to_string();
    let key = "Idempotency-Key: batch\r\n";
    let sent = post(&server, "/emails/batch", key, &batch).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    assert_eq!(sent.json()["data"].as_array().unwrap().len(), 2);
    let again = post(&server, "/emails/batch", key, &batch).await;
    assert_eq!(again.body, sent.body);
    assert_eq!(server.messages(None).len(), 2);
    let one_bad = json!([mail("a@example.com"), mail("nobody")]).to_string();
    let refused = post(&server, "/emails/batch", "", &one_bad).await;
    assert_refused(&refused, 422, "validation_error");
    let with_file = json!([with("attachments", json!([{ "content": "QQ==" }]))]).to_string();
    let refused = post(&server, "/emails/batch", "", &with_file).await;
    assert_refused(&refused, 422, "validation_error");
    let many: Vec<Value> = (0..101).map(|_| mail("a@example.com")).collect();
    let refused = post(&server, "/emails/batch", "", &json!(many).to_string()).await;
    assert_refused(&refused, 422, "validation_error");
    assert_eq!(server.messages(None).len(), 2);
}

#[tokio::test]
async fn fault_is_answered_in_resend_format() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let faults = server.faults_of(Provider::Resend);
    for (fault, status, name) in [
        (Fault::Throttled, 429, "rate_limit_exceeded"),
        (Fault::ServerError, 500, "internal_server_error"),
        (Fault::Rejected, 422, "validation_error"),
        (
            Fault::RefusedByResend(Code::DailyQuotaExceeded),
            429,
            "daily_quota_exceeded",
        ),
        (
            Fault::RefusedByResend(Code::DomainNotVerified),
            403,
            "validation_error",
        ),
    ] {
        faults.set(Some(fault));
        assert_refused(&send(&server, &mail("a@b.c")).await, status, name);
    }
    faults.set(Some(Fault::Throttled));
    let throttled = send(&server, &mail("a@b.c")).await;
    assert!(
        throttled.head.contains("retry-after: 1"),
        "{}",
        throttled.head
    );
    faults.set(None);
    // A fault of the other provider does not apply to this one and is not used up.
    server
        .faults_of(Provider::Ses)
        .set(Some(Fault::ServerError));
    let paused = Fault::Refused(local_mail::Code::SendingPaused);
    server.faults().set_for_next(1, paused);
    assert_eq!(send(&server, &mail("a@b.c")).await.status, 200);
}
