//! SES event records: those of event publishing (`eventType`) and the older notifications (`notificationType`).
//!
//! Sources: <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>,
//! <https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html>.

use jiff::Timestamp;
use serde_json::Value;
use shared::protocol::mail::{EmailAddress, LEDGER_TAG, Provider};
use shared::service::mail::event::{EventKind, MailEvent};

use crate::parse::{
    ParseError, addresses, concerned, document, instant, joined, object, text, texts,
};

/// The content of a record besides its mail.
struct ParsedEvent {
    kind: EventKind,
    at: Timestamp,
    recipients: Vec<EmailAddress>,
    detail: Option<String>,
}

/// Parses the text of a notification. `event_id` is the notification's id.
pub(crate) fn event(event_id: &str, notification: &str) -> Result<MailEvent, ParseError> {
    // A newly connected topic sends a plain-text message.
    if !notification.trim_start().starts_with('{') {
        return Err(ParseError::other("plain text"));
    }
    let record = document(notification.as_bytes())?;
    let kind = ["eventType", "notificationType"]
        .iter()
        .find_map(|name| record[name].as_str())
        .ok_or_else(|| ParseError::unreadable("/eventType"))?;
    let Some(read) = reader(kind) else {
        return Err(ParseError::other(kind));
    };
    let mail = object(&record, "mail")?;
    let parsed = read(&record, mail)?;
    Ok(MailEvent {
        provider: Provider::Ses,
        event_id: event_id.to_owned(),
        // Absent from the older notifications.
        key: texts(&mail["tags"][LEDGER_TAG])
            .first()
            .map(|key| (*key).to_owned()),
        message_id: text(mail, "messageId").unwrap_or_default().to_owned(),
        kind: parsed.kind,
        at: parsed.at,
        recipients: parsed.recipients,
        detail: parsed.detail,
    })
}

type Reader = fn(&Value, &Value) -> Result<ParsedEvent, ParseError>;

/// Returns the parser of a type, ignoring the case of its name.
fn reader(kind: &str) -> Option<Reader> {
    Some(match kind.to_ascii_lowercase().as_str() {
        "send" => |_, mail| for_all_recipients(mail, "mail", mail, EventKind::Sent, None),
        "delivery" => delivery,
        "deliverydelay" => delay,
        "bounce" => bounce,
        "complaint" => complaint,
        "open" => |record, mail| engagement(record, mail, "open", EventKind::Opened),
        "click" => |record, mail| engagement(record, mail, "click", EventKind::Clicked),
        "reject" => reject,
        "rendering failure" => failure,
        _ => return None,
    })
}

/// Returns the time of the event, or the time of the mail if the former is unreadable.
fn at(event: &Value, name: &str, mail: &Value) -> Result<Timestamp, ParseError> {
    instant(event, "timestamp")
        .or_else(|| instant(mail, "timestamp"))
        .ok_or_else(|| ParseError::unreadable(&format!("/{name}/timestamp")))
}

fn mailed(mail: &Value) -> Vec<EmailAddress> {
    addresses(texts(&mail["destination"]))
}

/// Returns an event that concerns every recipient of the mail.
fn for_all_recipients(
    event: &Value,
    name: &str,
    mail: &Value,
    kind: EventKind,
    detail: Option<&str>,
) -> Result<ParsedEvent, ParseError> {
    Ok(ParsedEvent {
        kind,
        at: at(event, name, mail)?,
        recipients: mailed(mail),
        detail: detail.map(str::to_owned),
    })
}

fn delivery(record: &Value, mail: &Value) -> Result<ParsedEvent, ParseError> {
    let delivery = object(record, "delivery")?;
    let detail = text(delivery, "smtpResponse");
    for_all_recipients(delivery, "delivery", mail, EventKind::Delivered, detail)
}

fn delay(record: &Value, mail: &Value) -> Result<ParsedEvent, ParseError> {
    let delay = object(record, "deliveryDelay")?;
    let recipients = &delay["delayedRecipients"];
    Ok(ParsedEvent {
        kind: EventKind::Delayed,
        at: at(delay, "deliveryDelay", mail)?,
        detail: joined(&[text(delay, "delayType"), diagnosis(recipients)]),
        recipients: concerned(named(recipients), &mailed(mail)),
    })
}

/// Parses a bounce. Only `Permanent` means that the mailbox will never accept mail; `Transient` and `Undetermined` are
/// temporary. SES has stopped trying in all cases; while it still tries, it reports a delay.
fn bounce(record: &Value, mail: &Value) -> Result<ParsedEvent, ParseError> {
    let bounce = object(record, "bounce")?;
    let recipients = &bounce["bouncedRecipients"];
    let kind = text(bounce, "bounceType");
    let permanent = kind.is_some_and(|kind| kind.eq_ignore_ascii_case("permanent"));
    Ok(ParsedEvent {
        kind: EventKind::Bounced { permanent },
        at: at(bounce, "bounce", mail)?,
        detail: joined(&[kind, text(bounce, "bounceSubType"), diagnosis(recipients)]),
        recipients: concerned(named(recipients), &mailed(mail)),
    })
}

/// Parses a complaint. A report of type `not-spam` (RFC 5965, section 7.3, and its registry) withdraws a complaint: its
/// sender wants the mail.
fn complaint(record: &Value, mail: &Value) -> Result<ParsedEvent, ParseError> {
    let complaint = object(record, "complaint")?;
    let feedback = text(complaint, "complaintFeedbackType");
    if feedback.is_some_and(|feedback| feedback.eq_ignore_ascii_case("not-spam")) {
        return Err(ParseError::other("Complaint, not-spam"));
    }
    let recipients = named(&complaint["complainedRecipients"]);
    Ok(ParsedEvent {
        kind: EventKind::Complained,
        at: at(complaint, "complaint", mail)?,
        detail: joined(&[feedback, text(complaint, "complaintSubType")]),
        recipients: concerned(recipients, &mailed(mail)),
    })
}

/// Parses an open or a click. The reader, address and device are not stored.
fn engagement(
    record: &Value,
    mail: &Value,
    name: &str,
    kind: EventKind,
) -> Result<ParsedEvent, ParseError> {
    for_all_recipients(object(record, name)?, name, mail, kind, None)
}

fn reject(record: &Value, mail: &Value) -> Result<ParsedEvent, ParseError> {
    let reason = text(&record["reject"], "reason");
    for_all_recipients(mail, "mail", mail, EventKind::Failed, reason)
}

fn failure(record: &Value, mail: &Value) -> Result<ParsedEvent, ParseError> {
    let reason = text(&record["failure"], "errorMessage");
    for_all_recipients(mail, "mail", mail, EventKind::Failed, reason)
}

/// Returns the addresses of a list of recipients.
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
