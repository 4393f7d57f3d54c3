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
mod tests;
