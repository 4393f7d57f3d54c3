//! SES's event records, as it publishes them to a topic.
//!
//! <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::mail_event::MailEvent;
use crate::mail::Mail;

/// The account of all local resources.
const ACCOUNT: &str = "000000000000";

/// The user agent of opens and clicks.
const USER_AGENT: &str = "Mozilla/5.0 (local mailbox)";

/// Returns the record as text, with the line break that SES adds at the end.
pub(super) fn event(mail: &Mail, mail_event: MailEvent, to: &[&str], at: Timestamp) -> String {
    let (kind, member, detail) = detail(mail, mail_event, to, at);
    let record = json!({ "eventType": kind, "mail": about(mail), member: detail });
    format!("{record}\n")
}

fn detail(
    mail: &Mail,
    mail_event: MailEvent,
    to: &[&str],
    at: Timestamp,
) -> (&'static str, &'static str, Value) {
    let time = time(at);
    match mail_event {
        MailEvent::Sent => ("Send", "send", json!({})),
        MailEvent::Delivered => (
            "Delivery",
            "delivery",
            json!({
                "timestamp": time,
                "processingTimeMillis": at.duration_since(mail.at).as_millis(),
                "recipients": to,
                "smtpResponse": "250 2.6.0 Message received",
                "reportingMTA": "mta.localhost",
            }),
        ),
        MailEvent::Delayed => (
            "DeliveryDelay",
            "deliveryDelay",
            json!({
                "timestamp": time,
                "delayType": "TransientCommunicationFailure",
                "expirationTime": self::time(at + SignedDuration::from_hours(14)),
                "delayedRecipients": each(to, &json!({
                    "status": "4.4.1",
                    "diagnosticCode": "smtp; 421 4.4.1 Unable to connect to remote host",
                })),
            }),
        ),
        MailEvent::Bounced { permanent: true } => bounce(
            "Permanent",
            "General",
            "5.1.1",
            "smtp; 550 5.1.1 user unknown",
            to,
            at,
        ),
        MailEvent::Bounced { permanent: false } => bounce(
            "Transient",
            "MailboxFull",
            "5.2.2",
            "smtp; 552 5.2.2 mailbox full",
            to,
            at,
        ),
        MailEvent::Suppressed => {
            let why = "Amazon SES has suppressed sending to this address because it has a recent history of bouncing \
                as an invalid address.";
            bounce("Permanent", "Suppressed", "5.1.1", why, to, at)
        }
        MailEvent::Complained => (
            "Complaint",
            "complaint",
            json!({
                "complainedRecipients": each(to, &json!({})),
                "timestamp": time,
                "feedbackId": feedback_id(at),
                "userAgent": "Amazon SES Mailbox Simulator",
                "complaintFeedbackType": "abuse",
                "arrivalDate": time,
            }),
        ),
        MailEvent::Opened => (
            "Open",
            "open",
            json!({ "ipAddress": "127.0.0.1", "timestamp": time, "userAgent": USER_AGENT }),
        ),
        MailEvent::Clicked => (
            "Click",
            "click",
            json!({
                "ipAddress": "127.0.0.1",
                "link": "https://signtusk.localhost/",
                "linkTags": null,
                "timestamp": time,
                "userAgent": USER_AGENT,
            }),
        ),
        MailEvent::Rejected => ("Reject", "reject", json!({ "reason": "Bad content" })),
    }
}

fn bounce(
    kind: &str,
    sub_kind: &str,
    status: &str,
    diagnosis: &str,
    to: &[&str],
    at: Timestamp,
) -> (&'static str, &'static str, Value) {
    let why = json!({ "action": "failed", "status": status, "diagnosticCode": diagnosis });
    let detail = json!({
        "bounceType": kind,
        "bounceSubType": sub_kind,
        "bouncedRecipients": each(to, &why),
        "timestamp": time(at),
        "feedbackId": feedback_id(at),
        "reportingMTA": "dsn; mta.localhost",
    });
    ("Bounce", "bounce", detail)
}

/// Returns each recipient as an object, with the shared members.
fn each(to: &[&str], more: &Value) -> Vec<Value> {
    to.iter()
        .map(|address| {
            let mut one = more.clone();
            one["emailAddress"] = json!(address);
            one
        })
        .collect()
}

/// Returns the mail object of every record.
fn about(mail: &Mail) -> Value {
    let domain = mail.from.rsplit_once('@').unwrap_or_default().1;
    let domain = domain.trim_end_matches('>');
    let destination: Vec<&str> = mail.recipients().collect();
    let header = |name: &str, value: &str| json!({ "name": name, "value": value });
    let mut headers = vec![
        header("From", &mail.from),
        header("To", &mail.to.join(", ")),
        header("Subject", &mail.subject),
        header("MIME-Version", "1.0"),
    ];
    let added = mail.headers.iter();
    headers.extend(added.map(|one| header(&one.name, &one.value)));
    json!({
        "timestamp": time(mail.at),
        "source": mail.from,
        "sourceArn": format!("arn:aws:ses:us-east-1:{ACCOUNT}:identity/{domain}"),
        "sendingAccountId": ACCOUNT,
        "messageId": mail.id,
        "destination": destination,
        "headersTruncated": false,
        "headers": headers,
        "commonHeaders": {
            "from": [mail.from],
            "to": mail.to,
            "messageId": mail.id,
            "subject": mail.subject,
        },
        "tags": tags(mail, domain),
    })
}

/// Returns the mail's own tags and those that SES adds; each has a list of values.
fn tags(mail: &Mail, domain: &str) -> Map<String, Value> {
    let mut tags = Map::new();
    let own = mail.tags.iter();
    let own = own.map(|tag| (tag.name.as_str(), tag.value.as_str()));
    let set = mail.configuration_set.as_deref().unwrap_or_default();
    let added = [
        ("ses:configuration-set", set),
        ("ses:source-ip", "127.0.0.1"),
        ("ses:from-domain", domain),
        ("ses:caller-identity", "local"),
    ];
    for (name, value) in added.into_iter().chain(own) {
        let values = tags.entry(name).or_insert_with(|| json!([]));
        if let Value::Array(values) = values {
            values.push(json!(value));
        }
    }
    tags
}

fn feedback_id(at: Timestamp) -> String {
    format!(
        "{:016x}-{}-000000",
        at.as_millisecond(),
        uuid::Uuid::new_v4()
    )
}

fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}
