//! Resend's webhook bodies: <https://resend.com/docs/webhooks/event-types>.

use serde_json::Value;
use shared::protocol::mail::{LEDGER_TAG, Provider};
use shared::service::mail::event::{EventKind, MailEvent};

use crate::parse::{ParseError, addresses, document, instant, joined, object, text, texts};

/// Parses a body. `event_id` is the webhook's id.
pub(crate) fn event(event_id: &str, body: &[u8]) -> Result<MailEvent, ParseError> {
    let document = document(body)?;
    let name = text(&document, "type").ok_or_else(|| ParseError::unreadable("/type"))?;
    let kind = kind(name).ok_or_else(|| ParseError::other(name))?;
    let data = object(&document, "data")?;
    let at = instant(&document, "created_at").or_else(|| instant(data, "created_at"));
    Ok(MailEvent {
        provider: Provider::Resend,
        event_id: event_id.to_owned(),
        key: tag(&data["tags"], LEDGER_TAG),
        kind: qualified(kind, data),
        at: at.ok_or_else(|| ParseError::unreadable("/created_at"))?,
        recipients: addresses(texts(&data["to"])),
        detail: detail(data),
        message_id: text(data, "email_id").unwrap_or_default().to_owned(),
    })
}

/// Returns the kind of an event about a sent mail. Other events concern domains, contacts and incoming mail.
///
/// Resend suppresses a mail if its recipient is on Resend's list. No mail will reach that address, so this counts as a
/// permanent bounce, as with SES.
fn kind(name: &str) -> Option<EventKind> {
    Some(match name.to_ascii_lowercase().as_str() {
        "email.sent" => EventKind::Sent,
        "email.delivered" => EventKind::Delivered,
        "email.delivery_delayed" => EventKind::Delayed,
        "email.bounced" | "email.suppressed" => EventKind::Bounced { permanent: true },
        "email.complained" => EventKind::Complained,
        "email.opened" => EventKind::Opened,
        "email.clicked" => EventKind::Clicked,
        "email.failed" => EventKind::Failed,
        _ => return None,
    })
}

/// Returns the kind with its detail. A bounce is permanent by definition of the event, unless its type says that it is
/// temporary. Resend has stopped trying in both cases; while it still tries, it reports a delay.
fn qualified(kind: EventKind, data: &Value) -> EventKind {
    let bounce_type = text(&data["bounce"], "type");
    match kind {
        EventKind::Bounced { .. } => EventKind::Bounced {
            permanent: bounce_type.is_none_or(|name| name.eq_ignore_ascii_case("permanent")),
        },
        other => other,
    }
}

fn detail(data: &Value) -> Option<String> {
    let (bounce, suppressed) = (&data["bounce"], &data["suppressed"]);
    joined(&[
        text(bounce, "type"),
        text(bounce, "subType"),
        text(bounce, "message"),
        text(suppressed, "type"),
        text(suppressed, "message"),
        text(&data["failed"], "reason"),
    ])
}

/// Returns the value of a tag. The documentation shows tags as an object of names in one place, and as a list of pairs
/// in another.
fn tag(tags: &Value, name: &str) -> Option<String> {
    let listed = tags.as_array().into_iter().flatten();
    let listed = listed
        .filter(|tag| tag["name"] == name)
        .map(|tag| &tag["value"]);
    let value = tags.get(name).or_else(|| listed.into_iter().next())?;
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared::service::mail::event::{EventKind, MailEvent};

    use super::event;
    use crate::parse::ParseError;

    fn body(kind: &str) -> Value {
        json!({
            "type": kind,
            "created_at": "2026-11-24T10:00:00.126Z",
            "data": {
                "created_at": "2026-11-24T09:00:00.894719+00:00",
                "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
                "from": "SignTusk <noreply@example.com>",
                "to": ["ann@example.com"],
                "subject": "Please sign",
                "tags": { "ledger": "k" },
            },
        })
    }

    fn read(body: &Value) -> Result<MailEvent, ParseError> {
        event("msg_1", body.to_string().as_bytes())
    }

    #[test]
    fn every_event_type_is_read_with_its_time() {
        for (name, kind) in [
            ("email.sent", EventKind::Sent),
            ("email.delivered", EventKind::Delivered),
            ("email.delivery_delayed", EventKind::Delayed),
            ("email.bounced", EventKind::Bounced { permanent: true }),
            ("email.suppressed", EventKind::Bounced { permanent: true }),
            ("email.complained", EventKind::Complained),
            ("email.opened", EventKind::Opened),
            ("email.clicked", EventKind::Clicked),
            ("email.failed", EventKind::Failed),
        ] {
            let event = read(&body(name)).unwrap();
            assert_eq!(event.kind, kind, "{name}");
            assert_eq!(event.at.to_string(), "2026-11-24T10:00:00.126Z", "{name}");
            assert_eq!(event.key.as_deref(), Some("k"), "{name}");
            assert_eq!(event.recipients[0].as_str(), "ann@example.com", "{name}");
            assert_eq!(event.event_id, "msg_1");
            assert_eq!(event.message_id, "56761188-7520-42d8-8898-ff6fc54ce618");
        }
    }

    #[test]
    fn transient_bounce_is_not_permanent() {
        for (kind, permanent) in [
            ("Permanent", true),
            ("permanent", true),
            ("Transient", false),
            ("Undetermined", false),
        ] {
            let mut body = body("email.bounced");
            body["data"]["bounce"] = json!({ "type": kind, "subType": "General", "message": "no room", "diagnosticCode": ["x"] });
            let event = read(&body).unwrap();
            assert_eq!(event.kind, EventKind::Bounced { permanent }, "{kind}");
            assert_eq!(event.detail, Some(format!("{kind}; General; no room")));
        }
    }

    #[test]
    fn tags_are_read_in_both_formats() {
        for (tags, key) in [
            (json!({ "ledger": "k" }), Some("k")),
            (
                json!([{ "name": "x", "value": "y" }, { "name": "ledger", "value": "k" }]),
                Some("k"),
            ),
            (json!([]), None),
            (json!({ "ledger": 1 }), None),
            (json!(["ledger"]), None),
            (Value::Null, None),
        ] {
            let mut body = body("email.sent");
            body["data"]["tags"] = tags.clone();
            assert_eq!(read(&body).unwrap().key.as_deref(), key, "{tags}");
        }
    }

    #[test]
    fn event_of_no_sent_mail_is_named_and_ignored() {
        for kind in [
            "email.received",
            "email.scheduled",
            "email.forwarded",
            "contact.created",
            "suppression.added",
        ] {
            let message = json!({ "type": kind, "data": { "email_id": "x" }, "created_at": "2026-11-24T10:00:00Z" });
            assert_eq!(read(&message).unwrap_err(), ParseError::other(kind));
        }
    }

    #[test]
    fn unreadable_event_is_reported_by_pointer_without_its_value() {
        let unreadable = |at: &str| ParseError::Unreadable(at.to_owned());
        assert_eq!(event("1", b"\xff").unwrap_err(), unreadable(""));
        assert_eq!(read(&json!([])).unwrap_err(), unreadable("/type"));
        assert_eq!(
            read(&json!({ "type": "email.sent" })).unwrap_err(),
            unreadable("/data")
        );
        let mut time = body("email.sent");
        time["created_at"] = "ann@example.com".into();
        time["data"]["created_at"] = json!(1);
        assert_eq!(read(&time).unwrap_err(), unreadable("/created_at"));
    }

    #[test]
    fn unimportant_member_of_a_wrong_type_does_not_drop_the_event() {
        let mut body = body("Email.Bounced");
        body["created_at"] = json!(1);
        body["data"]["email_id"] = json!(1);
        body["data"]["bounce"] = json!({ "type": "PERMANENT", "subType": [], "message": 7 });
        body["data"]["failed"] = json!("no object");
        let event = read(&body).unwrap();
        assert_eq!(event.kind, EventKind::Bounced { permanent: true });
        assert_eq!(event.key.as_deref(), Some("k"));
        assert_eq!(event.recipients[0].as_str(), "ann@example.com");
        assert_eq!(event.detail.as_deref(), Some("PERMANENT"));
        assert_eq!(event.at.to_string(), "2026-11-24T09:00:00.894719Z");
    }
}
