//! What an e-mail job carries: the payload that a producer writes and `send-email` reads, parsed once.
//!
//! The shapes are those of the web app (`type` says which). Whatever holds one of these types holds text that cannot
//! break out of a header and links that lead to the web.

mod bulk;
mod decode;
mod due_date;
mod invitation;
mod link;
mod text;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;
use utoipa::ToSchema;

pub use self::bulk::{Bulk, InvalidRecipients, Recipient, Recipients};
pub use self::decode::Invalid;
pub use self::due_date::{DueDate, InvalidDueDate};
pub use self::invitation::{Invitation, Reminder};
pub use self::link::{HttpUrl, InvalidLink};
pub use self::text::{DisplayName, InvalidText, Message, Reference, Title};
pub use crate::protocol::mail::EmailAddress;

/// The types of e-mail that can be sent, as `type` names them.
pub const TYPES: [&str; 3] = ["signature-request", "reminder", "bulk"];

/// An e-mail job's payload. Unknown members are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Email {
    /// Asks one signer to sign.
    SignatureRequest(Invitation),
    /// Asks one signer again.
    Reminder(Reminder),
    /// Asks many signers of one document.
    Bulk(Bulk),
}

impl Email {
    /// Reads a payload that is JSON already. The error points at the member that is wrong.
    pub fn parse(payload: &Value) -> Result<Self, Invalid> {
        let Some(members) = payload.as_object() else {
            return Err(Invalid::at("", "an object is expected"));
        };
        match members.get("type") {
            Some(Value::String(name)) => match name.as_str() {
                "signature-request" => decode::from(payload).map(Self::SignatureRequest),
                "reminder" => Reminder::parse(payload).map(Self::Reminder),
                "bulk" => decode::from(payload).map(Self::Bulk),
                _ => Err(unknown_type()),
            },
            Some(_) => Err(unknown_type()),
            None => Err(Invalid::at("/type", "is missing")),
        }
    }

    /// The type, as `type` names it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SignatureRequest(_) => "signature-request",
            Self::Reminder(_) => "reminder",
            Self::Bulk(_) => "bulk",
        }
    }

    /// How many recipients it has.
    #[must_use]
    pub fn recipients(&self) -> usize {
        match self {
            Self::SignatureRequest(_) | Self::Reminder(_) => 1,
            Self::Bulk(bulk) => bulk.emails.len(),
        }
    }
}

fn unknown_type() -> Invalid {
    Invalid::at("/type", format!("must be one of {}", TYPES.join(", ")))
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let payload = Value::deserialize(deserializer)?;
        Self::parse(&payload).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
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
    fn the_shapes_of_the_web_app_are_read() {
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
    fn a_payload_survives_being_written_and_read_again() {
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
    fn the_error_points_at_the_member_that_is_wrong() {
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
                recipients(
                    json!([{"name": "Ann", "email": "a@b.example"}, {"email": "a@b.example"}]),
                ),
                "/emails/1/name",
            ),
        ] {
            let invalid = Email::parse(&payload).unwrap_err();
            assert_eq!(invalid.pointer(), pointer, "{payload} {invalid}");
        }
    }

    #[test]
    fn a_reminder_is_checked_like_the_request_that_it_repeats() {
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
    fn the_error_of_serde_names_the_member_too() {
        let error = serde_json::from_value::<Email>(with("to", json!("ann"))).unwrap_err();
        assert!(error.to_string().contains("/to"), "{error}");
    }

    proptest! {
        #[test]
        fn hostile_text_is_refused_or_stays_one_line(text in any::<String>()) {
            for member in ["signerName", "documentTitle", "senderName", "to", "requestId", "signatureUrl", "dueDate"] {
                if let Ok(email) = Email::parse(&with(member, json!(text))) {
                    let written = serde_json::to_value(&email).unwrap();
                    let kept = written[member].as_str().unwrap_or_default();
                    prop_assert!(!kept.contains(char::is_control));
                }
            }
        }
    }
}
