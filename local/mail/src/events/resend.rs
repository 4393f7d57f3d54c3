//! Resend's webhook bodies.
//!
//! <https://resend.com/docs/webhooks/event-types>.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::mail_event::MailEvent;
use crate::mail::Mail;

/// Returns the body as text.
pub(super) fn event(mail: &Mail, mail_event: MailEvent, to: &[&str], at: Timestamp) -> String {
    let (kind, detail) = detail(mail_event, at);
    let tags: Map<String, Value> = mail
        .tags
        .iter()
        .map(|tag| (tag.name.clone(), json!(tag.value)))
        .collect();
    let mut data = json!({
        "created_at": time(mail.at),
        "email_id": mail.id,
        "from": mail.from,
        "to": to,
        "subject": mail.subject,
        "tags": tags,
    });
    if let Some((member, detail)) = detail {
        data[member] = detail;
    }
    json!({ "type": kind, "created_at": time(at), "data": data }).to_string()
}

fn detail(mail_event: MailEvent, at: Timestamp) -> (&'static str, Option<(&'static str, Value)>) {
    let look = json!({
        "ipAddress": "127.0.0.1",
        "timestamp": time(at),
        "userAgent": "Mozilla/5.0 (local mailbox)",
    });
    match mail_event {
        MailEvent::Sent => ("email.sent", None),
        MailEvent::Delivered => ("email.delivered", None),
        MailEvent::Delayed => ("email.delivery_delayed", None),
        MailEvent::Bounced { permanent } => {
            let (kind, sub_kind, message) = if permanent {
                (
                    "Permanent",
                    "General",
                    "The recipient's server does not know this address.",
                )
            } else {
                (
                    "Transient",
                    "MailboxFull",
                    "The recipient's mailbox is full.",
                )
            };
            let bounce = json!({ "message": message, "subType": sub_kind, "type": kind });
            ("email.bounced", Some(("bounce", bounce)))
        }
        MailEvent::Suppressed => {
            let suppressed = json!({
                "message": "The recipient is on the suppression list of the account.",
                "type": "OnAccountSuppressionList",
            });
            ("email.suppressed", Some(("suppressed", suppressed)))
        }
        MailEvent::Complained => ("email.complained", None),
        MailEvent::Opened => ("email.opened", Some(("open", look))),
        MailEvent::Clicked => {
            let mut click = look;
            click["link"] = json!("https://signtusk.localhost/");
            ("email.clicked", Some(("click", click)))
        }
        MailEvent::Rejected => {
            let failed = json!({ "reason": "bad_content" });
            ("email.failed", Some(("failed", failed)))
        }
    }
}

fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}
