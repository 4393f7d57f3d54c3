//! Tests of e-mail payloads: accepted ones, and the location of the error in rejected ones.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Email;

fn request() -> Value {
    json!({
        "type": "signature-request", "priority": "high",
        "to": "ann@example.com", "signerName": "Ann", "documentTitle": "Lease",
        "senderName": "Bob", "signatureUrl": "https://app.example.com/sign/1",
    })
}

fn with(member: &str, value: Value) -> Value {
    let mut payload = request();
    payload[member] = value;
    payload
}

#[test]
fn web_app_payloads_are_read() {
    let reminder = json!({
        "type": "reminder", "to": "ann@example.com", "signerName": "Ann", "documentTitle": "Lease",
        "senderName": "Bob", "signatureUrl": "http://localhost:3000/sign/1", "message": "", "dueDate": null,
        "reminderCount": 2, "requestId": "r-1", "signerId": "s-1", "occurrence": "2026-11-23",
    });
    let bulk = json!({"type": "bulk", "emails": [{"name": "Ann", "email": "ann@example.com"}]});
    for payload in [request(), reminder, bulk] {
        let email = Email::parse(&payload).unwrap();
        assert_eq!(Some(email.kind()), payload["type"].as_str());
        assert_eq!(email.recipients(), 1);
    }
}

#[test]
fn payload_round_trips_through_json() {
    for payload in [
        with("dueDate", json!("2026-12-01")),
        with("dueDate", json!("2026-12-01T17:00:00+01:00")),
        json!({"type": "bulk", "emails": [{"name": "Ann", "email": "ann@example.com"}], "message": "a\nb"}),
        json!({"type": "reminder", "to": "ann@example.com", "signerName": "Ann", "documentTitle": "Lease",
            "senderName": "Bob", "signatureUrl": "https://x.example", "reminderCount": 3}),
    ] {
        let email = Email::parse(&payload).unwrap();
        let written = serde_json::to_value(&email).unwrap();
        assert_eq!(Email::parse(&written).unwrap(), email);
    }
}

#[test]
fn error_points_at_the_invalid_member() {
    let recipients = |emails: Value| json!({"type": "bulk", "emails": emails});
    let mut nameless = request();
    nameless.as_object_mut().unwrap().remove("signerName");
    for (payload, pointer) in [
        (json!([]), ""),
        (json!({}), "/type"),
        (with("type", json!(7)), "/type"),
        (with("type", json!("birthday")), "/type"),
        (nameless, "/signerName"),
        (with("to", json!("ann")), "/to"),
        (with("to", json!(["ann@example.com"])), "/to"),
        (
            with("to", json!("ann@example.com\r\nBcc: eve@example.com")),
            "/to",
        ),
        (with("signerName", json!("Ann\r\nX: y")), "/signerName"),
        (with("signerName", json!("   ")), "/signerName"),
        (
            with("documentTitle", json!("x".repeat(501))),
            "/documentTitle",
        ),
        (with("documentTitle", json!("a\u{202e}b")), "/documentTitle"),
        (with("message", json!("a\u{0}b")), "/message"),
        (with("dueDate", json!("soon")), "/dueDate"),
        (with("dueDate", json!(7)), "/dueDate"),
        (
            with("signatureUrl", json!("javascript:alert(1)")),
            "/signatureUrl",
        ),
        (
            with("signatureUrl", json!("https://u:p@example.com")),
            "/signatureUrl",
        ),
        (with("requestId", json!("a\nb")), "/requestId"),
        (recipients(json!([])), "/emails"),
        (recipients(json!("ann")), "/emails"),
        (
            recipients(json!([{"name": "Ann", "email": "x"}])),
            "/emails/0/email",
        ),
        (
            recipients(json!([{"name": "Ann", "email": "a@b.example"}, {"email": "a@b.example"}])),
            "/emails/1/name",
        ),
    ] {
        let invalid = Email::parse(&payload).unwrap_err();
        assert_eq!(invalid.pointer(), pointer, "{payload} {invalid}");
    }
}

/// Returns the required members of each type, except `to`.
fn needed() -> [(&'static str, Value); 11] {
    let url = "https://app.example.com/1";
    let signing = json!({"signerName": "Ann", "documentTitle": "Lease", "senderName": "Bob", "signatureUrl": url});
    [
        ("signature-request", signing.clone()),
        ("reminder", signing.clone()),
        ("sequential-notification", signing),
        (
            "completion",
            json!({"recipientName": "Ann", "documentTitle": "Lease", "senderName": "Bob", "documentUrl": url}),
        ),
        (
            "expiry-warning",
            json!({"recipientName": "Ann", "documentTitle": "Lease", "senderName": "Bob", "expiresAt": "2026-12-01",
                "actionUrl": url}),
        ),
        (
            "expired",
            json!({"recipientName": "Ann", "documentTitle": "Lease", "senderName": "Bob"}),
        ),
        (
            "declined",
            json!({"recipientName": "Bob", "documentTitle": "Lease", "signerName": "Ann"}),
        ),
        (
            "cancelled",
            json!({"recipientName": "Ann", "documentTitle": "Lease", "senderName": "Bob"}),
        ),
        ("email-verification", json!({"verificationUrl": url})),
        ("password-reset", json!({"resetUrl": url})),
        (
            "security-alert",
            json!({"event": "new-device", "at": "2026-12-01T10:00:00Z"}),
        ),
    ]
}

#[test]
fn missing_field_of_each_type_is_named() {
    for (kind, mut payload) in needed() {
        payload["type"] = json!(kind);
        payload["to"] = json!("ann@example.com");
        let email = Email::parse(&payload).unwrap();
        assert_eq!(email.kind(), kind);
        let written = serde_json::to_value(&email).unwrap();
        assert_eq!(Email::parse(&written).unwrap(), email, "{kind}");
        let members: Vec<String> = payload.as_object().unwrap().keys().cloned().collect();
        for member in members {
            let mut without = payload.clone();
            without.as_object_mut().unwrap().remove(&member);
            let invalid = Email::parse(&without).unwrap_err();
            assert_eq!(invalid.pointer(), format!("/{member}"), "{kind}");
            assert_eq!(invalid.reason(), "is missing", "{kind}");
        }
    }
}

#[test]
fn superseding_mail_without_its_signer_is_refused() {
    let mut payload = with("supersedes", json!("first"));
    assert_eq!(Email::parse(&payload).unwrap_err().pointer(), "/supersedes");
    payload["requestId"] = json!("r-1");
    payload["signerId"] = json!("s-1");
    assert!(Email::parse(&payload).is_ok());
}

#[test]
fn too_many_signers_and_unknown_events_are_refused() {
    for (kind, member, value) in [
        ("completion", "signers", json!(vec!["Ann"; 101])),
        ("completion", "signers", json!(["Ann", ""])),
        ("security-alert", "event", json!("birthday")),
        ("expiry-warning", "role", json!("guest")),
    ] {
        let (_, mut payload) = needed()
            .into_iter()
            .find(|(name, _)| *name == kind)
            .unwrap();
        payload["type"] = json!(kind);
        payload["to"] = json!("ann@example.com");
        payload[member] = value;
        let invalid = Email::parse(&payload).unwrap_err();
        assert!(
            invalid.pointer().starts_with(&format!("/{member}")),
            "{invalid}"
        );
    }
}

#[test]
fn reminder_is_checked_like_the_signature_request() {
    let mut payload = with("type", json!("reminder"));
    payload["reminderCount"] = json!(-1);
    assert_eq!(
        Email::parse(&payload).unwrap_err().pointer(),
        "/reminderCount"
    );
    payload["reminderCount"] = json!(1);
    payload["to"] = json!("ann");
    assert_eq!(Email::parse(&payload).unwrap_err().pointer(), "/to");
}

#[test]
fn serde_error_names_the_member() {
    let error = serde_json::from_value::<Email>(with("to", json!("ann"))).unwrap_err();
    assert!(error.to_string().contains("/to"), "{error}");
}

proptest! {
    #[test]
    fn hostile_text_is_refused_or_stays_one_line(text in any::<String>()) {
        for (kind, needed) in needed() {
            let mut whole = needed;
            whole["type"] = json!(kind);
            whole["to"] = json!("ann@example.com");
            for member in ["requestId", "occurrence", "domain", "senderEmail", "previousSignerName", "device", "dueDate"] {
                whole[member] = json!("");
            }
            let members: Vec<String> = whole.as_object().unwrap().keys().cloned().collect();
            for member in members {
                let mut payload = whole.clone();
                payload[&member] = json!(text);
                if let Ok(email) = Email::parse(&payload) {
                    let written = serde_json::to_value(&email).unwrap();
                    let kept = written[&member].as_str().unwrap_or_default();
                    prop_assert!(!kept.contains(char::is_control), "{kind} {member}");
                }
            }
        }
    }
}
