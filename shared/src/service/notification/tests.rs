//! Tests of payloads as the web app writes them, and of the rows that result.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Notification, Recipient, TYPES};

const USER: &str = "01985c00-0000-7000-8000-000000000001";

fn parsed(payload: &Value) -> Notification {
    Notification::parse(payload).unwrap_or_else(|error| panic!("{payload}: {error}"))
}

/// Returns a payload of each type with a user and, if the type requires it, a text.
fn complete(kind: &str) -> Value {
    let plain = json!({ "userId": USER, "title": "Title", "message": "Message" });
    let mut payload = match kind {
        "bulk_notification" => json!({ "notifications": [plain] }),
        "system_notification" | "general" => plain,
        _ => json!({ "userId": USER }),
    };
    payload["type"] = kind.into();
    payload
}

#[test]
fn each_notification_type_round_trips_through_json() {
    for kind in TYPES {
        let payload = complete(kind);
        let notification = parsed(&payload);
        assert_eq!(notification.kind(), kind);
        let written = serde_json::to_value(&notification).unwrap();
        assert_eq!(written["type"], kind);
        assert_eq!(parsed(&written), notification, "{written}");
        let entries = notification.entries();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].recipient, Recipient::User(USER.parse().unwrap()));
        assert!(!entries[0].title.is_empty() && !entries[0].message.is_empty());
    }
}

/// Defect 29: the user and the text of a typed notification are written.
#[test]
fn typed_notification_keeps_its_own_user_and_text() {
    for kind in TYPES.iter().filter(|kind| **kind != "bulk_notification") {
        let entry = parsed(&json!({
            "type": kind, "userId": USER, "title": "Mine", "message": "My words", "actionUrl": "/mine",
            "data": { "own": 1 }, "requestId": "r-1", "signerEmail": "ann@example.com",
        }))
        .entries()
        .remove(0);
        assert_eq!(
            entry.recipient,
            Recipient::User(USER.parse().unwrap()),
            "{kind}"
        );
        assert_eq!(
            (entry.title.as_str(), entry.message.as_str()),
            ("Mine", "My words")
        );
        assert_eq!(entry.action_url.as_deref(), Some("/mine"));
        assert_eq!(entry.metadata["own"], 1);
    }
}

/// Defect 30: the web app's own producers name no user here.
#[test]
fn pdf_and_expiry_notifications_without_a_user_go_to_the_owner() {
    let request = Recipient::Owner("r-1".to_owned().try_into().unwrap());
    for payload in [
        json!({ "type": "pdf_generation_completed", "requestId": "r-1", "pdfUrl": "https://files.example/1.pdf" }),
        json!({ "type": "document_expired", "data": { "requestId": "r-1" } }),
        json!({ "type": "document_expiry_warning", "requestId": "r-1", "hoursUntilExpiry": 23.5 }),
        json!({ "type": "signature_completed", "requestId": "r-1", "signerEmail": "ann@example.com" }),
    ] {
        let entry = parsed(&payload).entries().remove(0);
        assert_eq!(entry.recipient, request, "{payload}");
        assert_eq!(entry.action_url.as_deref(), Some("/documents/r-1"));
        assert_eq!(entry.metadata["requestId"], "r-1");
        assert!(
            !entry.title.is_empty() && !entry.message.is_empty(),
            "{payload}"
        );
    }
}

#[test]
fn signer_without_a_user_id_is_found_by_address() {
    for (kind, member) in [
        ("sequential_signature_request", "nextSignerEmail"),
        ("signature_request", "signerEmail"),
        ("reminder", "signerEmail"),
    ] {
        let entry = parsed(&json!({ "type": kind, member: "ann@example.com", "requestId": "r/1" }))
            .entries()
            .remove(0);
        let Recipient::Account(address) = &entry.recipient else {
            panic!("{entry:?}");
        };
        assert_eq!(address.as_str(), "ann@example.com");
        assert_eq!(entry.action_url.as_deref(), Some("/sign/r%2F1"));
        assert_eq!(entry.metadata[member], "ann@example.com");
    }
}

#[test]
fn fractional_hours_until_expiry_are_accepted() {
    for (hours, expected) in [(0.2, "an hour"), (23.5, "24 hours"), (48.0, "48 hours")] {
        let payload =
            json!({ "type": "document_expiry_warning", "userId": USER, "hoursUntilExpiry": hours });
        let entry = parsed(&payload).entries().remove(0);
        assert!(entry.message.contains(expected), "{}", entry.message);
        assert_eq!(entry.metadata["hoursUntilExpiry"], hours);
    }
}

#[test]
fn error_points_at_the_invalid_member() {
    let general = complete("general");
    let with = |member: &str, value: Value| {
        let mut payload = general.clone();
        payload[member] = value;
        payload
    };
    let without = |member: &str| {
        let mut payload = general.clone();
        payload.as_object_mut().unwrap().remove(member);
        payload
    };
    let bulk =
        |item: Value| json!({ "type": "bulk_notification", "notifications": [general, item] });
    for (payload, pointer) in [
        (json!([]), ""),
        (json!({}), "/type"),
        (with("type", json!("birthday")), "/type"),
        (without("userId"), "/userId"),
        (without("title"), "/title"),
        (without("message"), "/message"),
        (with("userId", json!("user-1")), "/userId"),
        (with("title", json!("x".repeat(256))), "/title"),
        (with("title", json!("a\nb")), "/title"),
        (with("message", json!(" ")), "/message"),
        (with("data", json!([])), "/data"),
        (
            with("actionUrl", json!("javascript:alert(1)")),
            "/actionUrl",
        ),
        (json!({ "type": "reminder" }), "/userId"),
        (
            json!({ "type": "document_expired", "userId": null }),
            "/userId",
        ),
        (
            json!({ "type": "reminder", "userId": USER, "reminderCount": -1 }),
            "/reminderCount",
        ),
        (
            json!({ "type": "bulk_notification", "notifications": [] }),
            "/notifications",
        ),
        (bulk(without("title")), "/notifications/1/title"),
        (bulk(with("userId", json!(7))), "/notifications/1/userId"),
    ] {
        let invalid = Notification::parse(&payload).unwrap_err();
        assert_eq!(invalid.pointer(), pointer, "{payload} {invalid}");
    }
}

#[test]
fn many_notifications_are_split_into_jobs_of_100_without_loss() {
    let items: Vec<Value> = (0..250)
        .map(|n| json!({ "userId": Uuid::from_u128(n), "title": "T", "message": "M" }))
        .collect();
    let payload = json!({ "type": "bulk_notification", "notifications": items });
    let Notification::BulkNotification(bulk) = parsed(&payload) else {
        panic!("no bulk");
    };
    let jobs = bulk.split();
    let sizes: Vec<_> = jobs.iter().map(|job| job.notifications.len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(jobs[2].notifications[49].user_id, Uuid::from_u128(249));
}
