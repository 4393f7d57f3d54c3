//! Resend's webhook bodies: <https://resend.com/docs/webhooks/event-types>.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shared::protocol::mail::{LEDGER_TAG, Provider};
use shared::service::mail_event::{EventKind, MailEvent};

use crate::reading::{NoEvent, addresses, document, joined, member};

/// What every event of a mail has.
#[derive(Deserialize)]
struct Data {
    email_id: String,
    /// The recipients that the event is about.
    #[serde(default)]
    to: Value,
    #[serde(default)]
    tags: Value,
    bounce: Option<Bounce>,
    failed: Option<Failed>,
    suppressed: Option<Suppressed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    #[serde(rename = "type")]
    kind: Option<String>,
    sub_type: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Failed {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Suppressed {
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
}

/// Reads a body. `event_id` is the webhook's id.
pub(crate) fn event(event_id: &str, body: &[u8]) -> Result<MailEvent, NoEvent> {
    let document = document(body)?;
    let name: &str = member(&document, "type")?;
    let kind = kind(name).ok_or_else(|| NoEvent::other(name))?;
    let data: Data = member(&document, "data")?;
    Ok(MailEvent {
        provider: Provider::Resend,
        event_id: event_id.to_owned(),
        key: tag(&data.tags, LEDGER_TAG),
        kind: qualified(kind, &data),
        at: member::<Timestamp>(&document, "created_at")?,
        recipients: addresses(texts(&data.to)),
        detail: detail(&data),
        message_id: data.email_id,
    })
}

/// What happened to a mail that was sent; other events are about domains, contacts, mails that come in.
///
/// A mail that Resend suppresses did not go because its recipient stands on Resend's list: no mail will reach that
/// address, so it counts as a permanent bounce, which is what SES makes of the same thing.
fn kind(name: &str) -> Option<EventKind> {
    Some(match name {
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

/// A bounce is permanent by its event's definition, unless its own type says that it may pass.
fn qualified(kind: EventKind, data: &Data) -> EventKind {
    let said = data.bounce.as_ref().and_then(|it| it.kind.as_deref());
    match kind {
        EventKind::Bounced { .. } => EventKind::Bounced {
            permanent: said.is_none_or(|said| said == "Permanent"),
        },
        other => other,
    }
}

fn detail(data: &Data) -> Option<String> {
    let bounce = data.bounce.as_ref();
    let suppressed = data.suppressed.as_ref();
    joined(&[
        bounce.and_then(|it| it.kind.as_deref()),
        bounce.and_then(|it| it.sub_type.as_deref()),
        bounce.and_then(|it| it.message.as_deref()),
        suppressed.and_then(|it| it.kind.as_deref()),
        suppressed.and_then(|it| it.message.as_deref()),
        data.failed.as_ref().and_then(|it| it.reason.as_deref()),
    ])
}

/// The value of a tag. The documentation shows tags as an object of names in one place, and as a list of pairs in
/// another.
fn tag(tags: &Value, name: &str) -> Option<String> {
    let listed = tags.as_array().into_iter().flatten();
    let listed = listed
        .filter(|tag| tag["name"] == name)
        .map(|tag| &tag["value"]);
    let value = tags.get(name).or_else(|| listed.into_iter().next())?;
    value.as_str().map(str::to_owned)
}

/// One text, or a list of them.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared::service::mail_event::{EventKind, MailEvent};

    use super::event;
    use crate::reading::NoEvent;

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

    fn read(body: &Value) -> Result<MailEvent, NoEvent> {
        event("msg_1", body.to_string().as_bytes())
    }

    #[test]
    fn every_kind_is_read_with_the_time_at_which_it_happened() {
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
    fn a_bounce_that_may_pass_is_not_permanent() {
        for (kind, permanent) in [
            ("Permanent", true),
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
    fn tags_are_read_in_both_of_their_shapes() {
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
    fn what_tells_of_no_mail_that_was_sent_is_named_and_passed_over() {
        for kind in [
            "email.received",
            "email.scheduled",
            "email.forwarded",
            "contact.created",
            "suppression.added",
        ] {
            let message = json!({ "type": kind, "data": { "email_id": "x" }, "created_at": "2026-11-24T10:00:00Z" });
            assert_eq!(read(&message).unwrap_err(), NoEvent::other(kind));
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_place_and_not_by_its_value() {
        let unreadable = |at: &str| NoEvent::Unreadable(at.to_owned());
        assert_eq!(event("1", b"\xff").unwrap_err(), unreadable(""));
        assert_eq!(read(&json!([])).unwrap_err(), unreadable("/type"));
        assert_eq!(
            read(&json!({ "type": "email.sent" })).unwrap_err(),
            unreadable("/data")
        );
        let mut time = body("email.sent");
        time["created_at"] = "ann@example.com".into();
        assert_eq!(read(&time).unwrap_err(), unreadable("/created_at"));
        let mut id = body("email.sent");
        id["data"]["email_id"] = json!(1);
        assert_eq!(read(&id).unwrap_err(), unreadable("/data/email_id"));
    }
}
