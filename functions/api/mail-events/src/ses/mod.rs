//! SES's event records: those of event publishing (`eventType`), and the older notifications (`notificationType`).
//!
//! Sources: <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>,
//! <https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html>.

use jiff::Timestamp;
use serde_json::Value;
use shared::protocol::mail::{EmailAddress, LEDGER_TAG, Provider};
use shared::service::mail_event::{EventKind, MailEvent};

use crate::reading::{
    NoEvent, addresses, concerned, document, instant, joined, object, text, texts,
};

/// What a record tells beyond the mail that it is about.
struct Told {
    kind: EventKind,
    at: Timestamp,
    recipients: Vec<EmailAddress>,
    detail: Option<String>,
}

/// Reads the text of a notification. `event_id` is the notification's id.
pub(crate) fn event(event_id: &str, notification: &str) -> Result<MailEvent, NoEvent> {
    // A topic that was just connected says so in plain words.
    if !notification.trim_start().starts_with('{') {
        return Err(NoEvent::other("plain text"));
    }
    let record = document(notification.as_bytes())?;
    let kind = ["eventType", "notificationType"]
        .iter()
        .find_map(|name| record[name].as_str())
        .ok_or_else(|| NoEvent::unreadable("/eventType"))?;
    let Some(read) = reader(kind) else {
        return Err(NoEvent::other(kind));
    };
    let mail = object(&record, "mail")?;
    let told = read(&record, mail)?;
    Ok(MailEvent {
        provider: Provider::Ses,
        event_id: event_id.to_owned(),
        // Absent from the older notifications.
        key: texts(&mail["tags"][LEDGER_TAG])
            .first()
            .map(|key| (*key).to_owned()),
        message_id: text(mail, "messageId").unwrap_or_default().to_owned(),
        kind: told.kind,
        at: told.at,
        recipients: told.recipients,
        detail: told.detail,
    })
}

type Reader = fn(&Value, &Value) -> Result<Told, NoEvent>;

/// The reader of a type, in whatever case its name is written.
fn reader(kind: &str) -> Option<Reader> {
    Some(match kind.to_ascii_lowercase().as_str() {
        "send" => |_, mail| whole(mail, "mail", mail, EventKind::Sent, None),
        "delivery" => delivery,
        "deliverydelay" => delay,
        "bounce" => bounce,
        "complaint" => complaint,
        "open" => |record, mail| looked(record, mail, "open", EventKind::Opened),
        "click" => |record, mail| looked(record, mail, "click", EventKind::Clicked),
        "reject" => reject,
        "rendering failure" => failure,
        _ => return None,
    })
}

/// When it happened; where that cannot be read, when the mail was sent.
fn at(event: &Value, name: &str, mail: &Value) -> Result<Timestamp, NoEvent> {
    instant(event, "timestamp")
        .or_else(|| instant(mail, "timestamp"))
        .ok_or_else(|| NoEvent::unreadable(&format!("/{name}/timestamp")))
}

fn mailed(mail: &Value) -> Vec<EmailAddress> {
    addresses(texts(&mail["destination"]))
}

/// Something that concerns every recipient of the mail.
fn whole(
    event: &Value,
    name: &str,
    mail: &Value,
    kind: EventKind,
    detail: Option<&str>,
) -> Result<Told, NoEvent> {
    Ok(Told {
        kind,
        at: at(event, name, mail)?,
        recipients: mailed(mail),
        detail: detail.map(str::to_owned),
    })
}

fn delivery(record: &Value, mail: &Value) -> Result<Told, NoEvent> {
    let delivery = object(record, "delivery")?;
    let detail = text(delivery, "smtpResponse");
    whole(delivery, "delivery", mail, EventKind::Delivered, detail)
}

fn delay(record: &Value, mail: &Value) -> Result<Told, NoEvent> {
    let delay = object(record, "deliveryDelay")?;
    let recipients = &delay["delayedRecipients"];
    Ok(Told {
        kind: EventKind::Delayed,
        at: at(delay, "deliveryDelay", mail)?,
        detail: joined(&[text(delay, "delayType"), diagnosis(recipients)]),
        recipients: concerned(named(recipients), &mailed(mail)),
    })
}

/// Only `Permanent` says that the mailbox will never take it; `Transient` and `Undetermined` may pass. Either way SES
/// has given up: what it goes on trying is a delay.
fn bounce(record: &Value, mail: &Value) -> Result<Told, NoEvent> {
    let bounce = object(record, "bounce")?;
    let recipients = &bounce["bouncedRecipients"];
    let kind = text(bounce, "bounceType");
    let permanent = kind.is_some_and(|kind| kind.eq_ignore_ascii_case("permanent"));
    Ok(Told {
        kind: EventKind::Bounced { permanent },
        at: at(bounce, "bounce", mail)?,
        detail: joined(&[kind, text(bounce, "bounceSubType"), diagnosis(recipients)]),
        recipients: concerned(named(recipients), &mailed(mail)),
    })
}

/// A report of type `not-spam` (RFC 5965, section 7.3, and its registry) takes a complaint back: whoever sent it wants
/// the mail.
fn complaint(record: &Value, mail: &Value) -> Result<Told, NoEvent> {
    let complaint = object(record, "complaint")?;
    let feedback = text(complaint, "complaintFeedbackType");
    if feedback.is_some_and(|feedback| feedback.eq_ignore_ascii_case("not-spam")) {
        return Err(NoEvent::other("Complaint, not-spam"));
    }
    let recipients = named(&complaint["complainedRecipients"]);
    Ok(Told {
        kind: EventKind::Complained,
        at: at(complaint, "complaint", mail)?,
        detail: joined(&[feedback, text(complaint, "complaintSubType")]),
        recipients: concerned(recipients, &mailed(mail)),
    })
}

/// An open or a click. Who looked from where with what is not kept.
fn looked(record: &Value, mail: &Value, name: &str, kind: EventKind) -> Result<Told, NoEvent> {
    whole(object(record, name)?, name, mail, kind, None)
}

fn reject(record: &Value, mail: &Value) -> Result<Told, NoEvent> {
    let reason = text(&record["reject"], "reason");
    whole(mail, "mail", mail, EventKind::Failed, reason)
}

fn failure(record: &Value, mail: &Value) -> Result<Told, NoEvent> {
    let reason = text(&record["failure"], "errorMessage");
    whole(mail, "mail", mail, EventKind::Failed, reason)
}

/// The addresses of a list of recipients.
fn named(recipients: &Value) -> Vec<EmailAddress> {
    let listed = recipients.as_array().into_iter().flatten();
    addresses(listed.filter_map(|one| text(one, "emailAddress")))
}

fn diagnosis(recipients: &Value) -> Option<&str> {
    let mut listed = recipients.as_array().into_iter().flatten();
    listed.find_map(|one| text(one, "diagnosticCode"))
}

#[cfg(test)]
mod tests;
