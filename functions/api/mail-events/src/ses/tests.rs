//! Tests of every kind of SES record, and of messages that are not events.

use serde_json::{Value, json};
use shared::service::mail::event::{EventKind, MailEvent};

use super::event;
use crate::parse::ParseError;

fn record(kind: &str, member: &str, detail: Value) -> Value {
    let mut record = json!({
        "eventType": kind,
        "mail": {
            "timestamp": "2026-11-24T09:00:00.000Z",
            "messageId": "0100-a",
            "destination": ["Ann <ann@example.com>"],
            "tags": { "ses:from-domain": ["example.com"], "ledger": ["k"] },
        },
    });
    record[member] = detail;
    record
}

fn read(record: &Value) -> Result<MailEvent, ParseError> {
    event("sns-1", &record.to_string())
}

fn at(event: &MailEvent) -> String {
    event.at.to_string()
}

fn recipients(event: &MailEvent) -> Vec<&str> {
    event
        .recipients
        .iter()
        .map(shared::protocol::mail::EmailAddress::as_str)
        .collect()
}

#[test]
fn every_event_type_is_read_with_its_time() {
    let then = "2026-11-24T10:00:00Z";
    let timed = json!({ "timestamp": then });
    let sent = "2026-11-24T09:00:00Z";
    for (kind, member, detail, wanted, time) in [
        ("Send", "send", json!({}), EventKind::Sent, sent),
        (
            "Delivery",
            "delivery",
            timed.clone(),
            EventKind::Delivered,
            then,
        ),
        (
            "DeliveryDelay",
            "deliveryDelay",
            timed.clone(),
            EventKind::Delayed,
            then,
        ),
        (
            "Complaint",
            "complaint",
            timed.clone(),
            EventKind::Complained,
            then,
        ),
        ("Open", "open", timed.clone(), EventKind::Opened, then),
        ("Click", "click", timed, EventKind::Clicked, then),
        (
            "Reject",
            "reject",
            json!({ "reason": "Bad content" }),
            EventKind::Failed,
            sent,
        ),
        (
            "Rendering Failure",
            "failure",
            json!({ "errorMessage": "x" }),
            EventKind::Failed,
            sent,
        ),
    ] {
        let event = read(&record(kind, member, detail)).unwrap();
        assert_eq!((event.kind, at(&event).as_str()), (wanted, time), "{kind}");
        assert_eq!(event.key.as_deref(), Some("k"), "{kind}");
        assert_eq!(
            (event.event_id.as_str(), event.message_id.as_str()),
            ("sns-1", "0100-a")
        );
    }
}

#[test]
fn only_a_permanent_bounce_is_permanent() {
    for (kind, permanent) in [
        ("Permanent", true),
        ("Transient", false),
        ("Undetermined", false),
        ("permanent", true),
        ("PERMANENT", true),
        ("permanent?", false),
    ] {
        let bounce = json!({
            "bounceType": kind,
            "bounceSubType": "General",
            "bouncedRecipients": [
                { "emailAddress": "ann@example.com", "diagnosticCode": "smtp; 550 unknown" },
                { "emailAddress": "\"Bo\" <bo@example.com>" },
                { "emailAddress": "no address" },
            ],
            "timestamp": "2026-11-24T10:00:00.000Z",
        });
        let event = read(&record("Bounce", "bounce", bounce)).unwrap();
        assert_eq!(event.kind, EventKind::Bounced { permanent }, "{kind}");
        assert_eq!(recipients(&event), ["ann@example.com"]);
        assert_eq!(
            event.detail,
            Some(format!("{kind}; General; smtp; 550 unknown"))
        );
    }
}

#[test]
fn retracted_complaint_suppresses_no_address() {
    let mut complaint = json!({
        "complainedRecipients": [{ "emailAddress": "ann@example.com" }],
        "timestamp": "2026-11-24T10:00:00.000Z",
        "complaintFeedbackType": "abuse",
    });
    let event = read(&record("Complaint", "complaint", complaint.clone())).unwrap();
    assert_eq!(recipients(&event), ["ann@example.com"]);
    for taken_back in ["not-spam", "Not-Spam"] {
        complaint["complaintFeedbackType"] = taken_back.into();
        let other = read(&record("Complaint", "complaint", complaint.clone())).unwrap_err();
        assert!(matches!(other, ParseError::Other(_)));
    }
}

#[test]
fn older_notification_without_tags_is_read() {
    let mut older = record(
        "x",
        "delivery",
        json!({ "timestamp": "2026-11-24T10:00:00.000Z" }),
    );
    older.as_object_mut().unwrap().remove("eventType");
    older["notificationType"] = "Delivery".into();
    older["mail"].as_object_mut().unwrap().remove("tags");
    let event = read(&older).unwrap();
    assert_eq!((event.kind, event.key), (EventKind::Delivered, None));
    assert_eq!(event.message_id, "0100-a");
}

#[test]
fn message_about_no_mail_is_named_and_ignored() {
    let connected = "Successfully validated SNS topic for Amazon SES event publishing.";
    assert_eq!(
        event("1", connected).unwrap_err(),
        ParseError::other("plain text")
    );
    for kind in ["Subscription", "AmazonSnsSubscriptionSucceeded", "bounced"] {
        let message = json!({ "notificationType": kind });
        assert_eq!(read(&message).unwrap_err(), ParseError::other(kind));
    }
}

#[test]
fn unreadable_event_is_reported_by_pointer_without_its_value() {
    let unreadable = |at: &str| ParseError::Unreadable(at.to_owned());
    let missing = json!({ "eventType": "Bounce", "mail": record("", "x", json!(0))["mail"] });
    assert_eq!(read(&missing).unwrap_err(), unreadable("/bounce"));
    let time = json!({ "bounceType": "Permanent", "timestamp": "ann@example.com" });
    let mut timeless = record("Bounce", "bounce", time);
    timeless["mail"]["timestamp"] = json!(1);
    assert_eq!(
        read(&timeless).unwrap_err(),
        unreadable("/bounce/timestamp")
    );
    assert_eq!(read(&json!({})).unwrap_err(), unreadable("/eventType"));
    assert_eq!(
        read(&json!({ "eventType": 1 })).unwrap_err(),
        unreadable("/eventType")
    );
    assert_eq!(event("1", "{").unwrap_err(), unreadable(""));
    assert_eq!(
        read(&json!({ "eventType": "Send" })).unwrap_err(),
        unreadable("/mail")
    );
}

#[test]
fn unimportant_member_of_a_wrong_type_does_not_drop_the_event() {
    let bounce = json!({
        "bounceType": "Permanent",
        "bounceSubType": { "a": 1 },
        "bouncedRecipients": [7, { "emailAddress": "ann@example.com", "diagnosticCode": 550 }],
        "timestamp": ["never"],
    });
    let mut record = record("Bounce", "bounce", bounce);
    record["mail"]["messageId"] = json!(17);
    record["mail"]["tags"]["other"] = json!("text");
    let event = read(&record).unwrap();
    assert_eq!(event.kind, EventKind::Bounced { permanent: true });
    assert_eq!(event.key.as_deref(), Some("k"));
    assert_eq!(recipients(&event), ["ann@example.com"]);
    assert_eq!(at(&event), "2026-11-24T09:00:00Z");
    assert_eq!(event.detail.as_deref(), Some("Permanent"));
    for wrong in [json!("x"), json!(null), json!([1])] {
        record["bounce"]["bouncedRecipients"] = wrong.clone();
        assert_eq!(
            recipients(&read(&record).unwrap()),
            ["ann@example.com"],
            "{wrong}"
        );
        let mut opened = record.clone();
        opened["mail"]["tags"] = wrong;
        assert_eq!(read(&opened).unwrap().key, None);
    }
}

#[test]
fn event_type_is_read_in_any_case() {
    for kind in ["bounce", "BOUNCE", "Bounce"] {
        let bounce = json!({ "bounceType": "Permanent", "timestamp": "2026-11-24T10:00:00Z" });
        let event = read(&record(kind, "bounce", bounce)).unwrap();
        assert_eq!(event.kind, EventKind::Bounced { permanent: true }, "{kind}");
    }
}

#[test]
fn bounce_concerns_the_mailed_address_and_not_its_forwarding_target() {
    let bounce = json!({
        "bounceType": "Permanent",
        "bouncedRecipients": [{ "emailAddress": "ann.private@elsewhere.example" }],
        "timestamp": "2026-11-24T10:00:00Z",
    });
    let mut record = record("Bounce", "bounce", bounce);
    assert_eq!(recipients(&read(&record).unwrap()), ["ann@example.com"]);
    record["mail"]["destination"] = json!(["a@example.com", "b@example.com"]);
    assert_eq!(recipients(&read(&record).unwrap()), [""; 0]);
    record["bounce"]["bouncedRecipients"][0]["emailAddress"] = "B@example.com".into();
    assert_eq!(recipients(&read(&record).unwrap()), ["B@example.com"]);
    record["mail"]["destination"] = json!(null);
    assert_eq!(recipients(&read(&record).unwrap()), ["B@example.com"]);
}
