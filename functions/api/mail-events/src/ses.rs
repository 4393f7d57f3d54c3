//! SES's event records: those of event publishing (`eventType`), and the older notifications (`notificationType`).
//!
//! Sources: <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>,
//! <https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html>.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shared::protocol::mail::{EmailAddress, LEDGER_TAG, Provider};
use shared::service::mail_event::{EventKind, MailEvent};

use crate::reading::{NoEvent, addresses, document, joined, member};

/// The mail that a record is about.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    timestamp: Timestamp,
    message_id: String,
    #[serde(default)]
    destination: Vec<String>,
    /// Absent from the older notifications.
    #[serde(default)]
    tags: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    timestamp: Timestamp,
    #[serde(rename = "bounceType")]
    kind: String,
    #[serde(rename = "bounceSubType")]
    subtype: Option<String>,
    #[serde(default)]
    bounced_recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    timestamp: Timestamp,
    #[serde(rename = "complaintFeedbackType")]
    feedback: Option<String>,
    #[serde(rename = "complaintSubType")]
    subtype: Option<String>,
    #[serde(default)]
    complained_recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    timestamp: Timestamp,
    smtp_response: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delay {
    timestamp: Timestamp,
    #[serde(rename = "delayType")]
    kind: Option<String>,
    #[serde(default)]
    delayed_recipients: Vec<Recipient>,
}

/// An open or a click. Who looked from where with what is not kept.
#[derive(Deserialize)]
struct Look {
    timestamp: Timestamp,
}

#[derive(Deserialize)]
struct Reject {
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    error_message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: String,
    diagnostic_code: Option<String>,
}

/// What a record tells beyond the mail that it is about.
struct Told {
    kind: EventKind,
    at: Timestamp,
    recipients: Vec<EmailAddress>,
    detail: Option<String>,
}

/// Reads the text of a notification. `event_id` is the notification's id.
pub(crate) fn event(event_id: &str, text: &str) -> Result<MailEvent, NoEvent> {
    // A topic that was just connected says so in plain words.
    if !text.trim_start().starts_with('{') {
        return Err(NoEvent::other("plain text"));
    }
    let record = document(text.as_bytes())?;
    let kind = ["eventType", "notificationType"]
        .iter()
        .find_map(|name| record[name].as_str())
        .ok_or_else(|| NoEvent::Unreadable("/eventType".to_owned()))?;
    let Some(read) = reader(kind) else {
        return Err(NoEvent::other(kind));
    };
    let mut about: About = member(&record, "mail")?;
    let told = read(&record, &about)?;
    let key = about.tags.remove(LEDGER_TAG);
    Ok(MailEvent {
        provider: Provider::Ses,
        event_id: event_id.to_owned(),
        key: key.and_then(|keys| keys.into_iter().next()),
        message_id: about.message_id,
        kind: told.kind,
        at: told.at,
        recipients: told.recipients,
        detail: told.detail,
    })
}

type Reader = fn(&Value, &About) -> Result<Told, NoEvent>;

fn reader(kind: &str) -> Option<Reader> {
    Some(match kind {
        "Send" => |_, mail| Ok(mail.told(EventKind::Sent, mail.timestamp, None)),
        "Delivery" => delivery,
        "DeliveryDelay" => delay,
        "Bounce" => bounce,
        "Complaint" => complaint,
        "Open" => |record, mail| looked(record, mail, "open", EventKind::Opened),
        "Click" => |record, mail| looked(record, mail, "click", EventKind::Clicked),
        "Reject" => reject,
        "Rendering Failure" => failure,
        _ => return None,
    })
}

impl About {
    /// Something that concerns every recipient of the mail.
    fn told(&self, kind: EventKind, at: Timestamp, detail: Option<String>) -> Told {
        Told {
            kind,
            at,
            recipients: addresses(self.destination.iter().map(String::as_str)),
            detail,
        }
    }
}

fn delivery(record: &Value, mail: &About) -> Result<Told, NoEvent> {
    let delivery: Delivery = member(record, "delivery")?;
    Ok(mail.told(
        EventKind::Delivered,
        delivery.timestamp,
        delivery.smtp_response,
    ))
}

fn delay(record: &Value, _: &About) -> Result<Told, NoEvent> {
    let delay: Delay = member(record, "deliveryDelay")?;
    Ok(Told {
        kind: EventKind::Delayed,
        at: delay.timestamp,
        detail: joined(&[delay.kind.as_deref(), diagnosis(&delay.delayed_recipients)]),
        recipients: concerned(&delay.delayed_recipients),
    })
}

/// Only `Permanent` says that the mailbox will never take it; `Transient` and `Undetermined` may pass.
fn bounce(record: &Value, _: &About) -> Result<Told, NoEvent> {
    let bounce: Bounce = member(record, "bounce")?;
    let permanent = bounce.kind == "Permanent";
    Ok(Told {
        kind: EventKind::Bounced { permanent },
        at: bounce.timestamp,
        detail: joined(&[
            Some(&bounce.kind),
            bounce.subtype.as_deref(),
            diagnosis(&bounce.bounced_recipients),
        ]),
        recipients: concerned(&bounce.bounced_recipients),
    })
}

/// A report of type `not-spam` (RFC 5965, section 7.3, and its registry) takes a complaint back: whoever sent it wants
/// the mail.
fn complaint(record: &Value, _: &About) -> Result<Told, NoEvent> {
    let complaint: Complaint = member(record, "complaint")?;
    if complaint.feedback.as_deref() == Some("not-spam") {
        return Err(NoEvent::other("Complaint, not-spam"));
    }
    Ok(Told {
        kind: EventKind::Complained,
        at: complaint.timestamp,
        detail: joined(&[complaint.feedback.as_deref(), complaint.subtype.as_deref()]),
        recipients: concerned(&complaint.complained_recipients),
    })
}

fn looked(record: &Value, mail: &About, name: &str, kind: EventKind) -> Result<Told, NoEvent> {
    let look: Look = member(record, name)?;
    Ok(mail.told(kind, look.timestamp, None))
}

fn reject(record: &Value, mail: &About) -> Result<Told, NoEvent> {
    let reject: Reject = member(record, "reject")?;
    Ok(mail.told(EventKind::Failed, mail.timestamp, reject.reason))
}

fn failure(record: &Value, mail: &About) -> Result<Told, NoEvent> {
    let failure: Failure = member(record, "failure")?;
    Ok(mail.told(EventKind::Failed, mail.timestamp, failure.error_message))
}

fn concerned(recipients: &[Recipient]) -> Vec<EmailAddress> {
    addresses(recipients.iter().map(|one| one.email_address.as_str()))
}

fn diagnosis(recipients: &[Recipient]) -> Option<&str> {
    recipients
        .iter()
        .find_map(|one| one.diagnostic_code.as_deref())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared::service::mail_event::{EventKind, MailEvent};

    use super::event;
    use crate::reading::NoEvent;

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

    fn read(record: &Value) -> Result<MailEvent, NoEvent> {
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
    fn every_kind_is_read_with_the_time_at_which_it_happened() {
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
            assert_eq!(recipients(&event), ["ann@example.com", "bo@example.com"]);
            assert_eq!(
                event.detail,
                Some(format!("{kind}; General; smtp; 550 unknown"))
            );
        }
    }

    #[test]
    fn a_complaint_that_is_taken_back_suppresses_nobody() {
        let mut complaint = json!({
            "complainedRecipients": [{ "emailAddress": "ann@example.com" }],
            "timestamp": "2026-11-24T10:00:00.000Z",
            "complaintFeedbackType": "abuse",
        });
        let event = read(&record("Complaint", "complaint", complaint.clone())).unwrap();
        assert_eq!(recipients(&event), ["ann@example.com"]);
        complaint["complaintFeedbackType"] = "not-spam".into();
        let other = read(&record("Complaint", "complaint", complaint)).unwrap_err();
        assert!(matches!(other, NoEvent::Other(_)));
    }

    #[test]
    fn an_older_notification_is_read_though_it_has_no_tags() {
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
    fn what_tells_of_no_mail_is_named_and_passed_over() {
        let connected = "Successfully validated SNS topic for Amazon SES event publishing.";
        assert_eq!(
            event("1", connected).unwrap_err(),
            NoEvent::other("plain text")
        );
        for kind in ["Subscription", "AmazonSnsSubscriptionSucceeded", "bounce"] {
            let message = json!({ "notificationType": kind });
            assert_eq!(read(&message).unwrap_err(), NoEvent::other(kind));
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_place_and_not_by_its_value() {
        let unreadable = |at: &str| NoEvent::Unreadable(at.to_owned());
        let missing = json!({ "eventType": "Bounce", "mail": record("", "x", json!(0))["mail"] });
        assert_eq!(read(&missing).unwrap_err(), unreadable("/bounce"));
        let time = json!({ "bounceType": "Permanent", "timestamp": "ann@example.com" });
        let refused = read(&record("Bounce", "bounce", time)).unwrap_err();
        assert_eq!(refused, unreadable("/bounce/timestamp"));
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
}
