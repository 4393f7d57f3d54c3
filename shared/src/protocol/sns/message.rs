//! A received message, and its signed text.

use serde::Deserialize;

use super::error::Error;

/// The type of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Kind {
    Notification,
    SubscriptionConfirmation,
    UnsubscribeConfirmation,
}

impl Kind {
    /// Returns its name in `Type` and in the header `x-amz-sns-message-type`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }
}

/// The used members. Other members are not signed, and are ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Message {
    #[serde(rename = "Type")]
    pub(super) kind: Kind,
    #[serde(rename = "MessageId")]
    pub(super) id: String,
    pub(super) topic_arn: String,
    #[serde(rename = "Message")]
    pub(super) text: String,
    subject: Option<String>,
    timestamp: String,
    token: Option<String>,
    #[serde(rename = "SubscribeURL")]
    subscribe_url: Option<String>,
    pub(super) signature_version: String,
    pub(super) signature: String,
    #[serde(rename = "SigningCertURL")]
    pub(super) signing_cert_url: String,
}

/// The members of a confirmation that a notification lacks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Confirmation<'a> {
    pub(super) token: &'a str,
    pub(super) subscribe_url: &'a str,
}

impl Message {
    /// Parses a body. Nothing in it is trusted yet.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Error> {
        let message: Self = serde_json::from_slice(body)
            .map_err(|_| Error::Malformed("its members are not those of a message"))?;
        if message.lines().any(|line| line.contains(char::is_control)) {
            return Err(Error::Malformed("a member is more than one line"));
        }
        if message.kind != Kind::Notification && message.confirmation().is_none() {
            return Err(Error::Malformed("a confirmation lacks its token or link"));
        }
        Ok(message)
    }

    /// Returns the members that must be one line each. The signed text has one line per member, so a line break could
    /// give two different messages the same signed text. Only the message itself may contain line breaks: it comes first,
    /// so the members after it can be read from the end.
    fn lines(&self) -> impl Iterator<Item = &str> {
        let always = [&self.id, &self.topic_arn, &self.timestamp].into_iter();
        let sometimes = [&self.subject, &self.token, &self.subscribe_url];
        always
            .chain(sometimes.into_iter().flatten())
            .map(String::as_str)
    }

    /// Returns the members that only a confirmation has.
    pub(super) fn confirmation(&self) -> Option<Confirmation<'_>> {
        Some(Confirmation {
            token: self.token.as_deref()?,
            subscribe_url: self.subscribe_url.as_deref()?,
        })
    }

    /// Returns the signed text: name and value of each signed member, each on its own line, sorted by name; absent
    /// members are skipped. The type decides which members are signed
    /// (<https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html>).
    pub(super) fn string_to_sign(&self) -> String {
        let of_notification = |member| (self.kind == Kind::Notification).then_some(member);
        let of_confirmation = |member| (self.kind != Kind::Notification).then_some(member);
        [
            ("Message", Some(self.text.as_str())),
            ("MessageId", Some(self.id.as_str())),
            (
                "Subject",
                of_notification(self.subject.as_deref()).flatten(),
            ),
            (
                "SubscribeURL",
                of_confirmation(self.subscribe_url.as_deref()).flatten(),
            ),
            ("Timestamp", Some(self.timestamp.as_str())),
            ("Token", of_confirmation(self.token.as_deref()).flatten()),
            ("TopicArn", Some(self.topic_arn.as_str())),
            ("Type", Some(self.kind.name())),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| format!("{name}\n{value}\n")))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Message;
    use crate::protocol::sns::Error;

    fn notification() -> Value {
        json!({
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": "arn:aws:sns:us-west-2:123456789012:MyTopic",
            "Message": "two\nlines",
            "Timestamp": "2012-05-02T00:54:06.655Z",
            "SignatureVersion": "2",
            "Signature": "c2ln",
            "SigningCertURL": "https://sns.us-west-2.amazonaws.com/x.pem",
            "UnsubscribeURL": "https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe",
        })
    }

    fn confirmation(kind: &str) -> Value {
        let mut confirmation = notification();
        confirmation["Type"] = kind.into();
        confirmation["Token"] = "2336412f37".into();
        confirmation["SubscribeURL"] = "https://sns.us-west-2.amazonaws.com/?Action=C".into();
        confirmation
    }

    fn parse(message: &Value) -> Result<Message, Error> {
        Message::parse(message.to_string().as_bytes())
    }

    #[test]
    fn notification_signature_covers_the_subject_only_if_present() {
        let mut message = notification();
        let plain = parse(&message).unwrap().string_to_sign();
        assert_eq!(
            plain,
            "Message\ntwo\nlines\nMessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\n\
             Timestamp\n2012-05-02T00:54:06.655Z\nTopicArn\narn:aws:sns:us-west-2:123456789012:MyTopic\n\
             Type\nNotification\n"
        );
        message["Subject"] = "My First Message".into();
        let about = parse(&message).unwrap().string_to_sign();
        assert_eq!(
            about,
            plain.replace("Timestamp\n", "Subject\nMy First Message\nTimestamp\n")
        );
        message["Subject"] = "".into();
        let empty = parse(&message).unwrap().string_to_sign();
        assert_eq!(
            empty,
            plain.replace("Timestamp\n", "Subject\n\nTimestamp\n")
        );
        message["Subject"] = Value::Null;
        assert_eq!(parse(&message).unwrap().string_to_sign(), plain);
    }

    #[test]
    fn confirmation_signature_covers_token_and_link_without_subject() {
        for kind in ["SubscriptionConfirmation", "UnsubscribeConfirmation"] {
            let mut message = confirmation(kind);
            message["Subject"] = "not signed".into();
            assert_eq!(
                parse(&message).unwrap().string_to_sign(),
                format!(
                    "Message\ntwo\nlines\nMessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\n\
                     SubscribeURL\nhttps://sns.us-west-2.amazonaws.com/?Action=C\n\
                     Timestamp\n2012-05-02T00:54:06.655Z\nToken\n2336412f37\n\
                     TopicArn\narn:aws:sns:us-west-2:123456789012:MyTopic\nType\n{kind}\n"
                )
            );
        }
    }

    #[test]
    fn member_with_a_control_character_is_refused() {
        for member in ["MessageId", "TopicArn", "Timestamp", "Subject", "Token"] {
            for value in ["a\nb", "a\r", "\0", "a\u{85}"] {
                let mut message = confirmation("SubscriptionConfirmation");
                message[member] = value.into();
                assert!(parse(&message).is_err(), "{member} {value:?}");
            }
        }
    }

    #[test]
    fn message_with_a_missing_or_mistyped_member_is_refused() {
        let names = [
            "Type",
            "MessageId",
            "TopicArn",
            "Message",
            "Timestamp",
            "SignatureVersion",
            "Signature",
            "SigningCertURL",
        ];
        for name in names {
            for value in [None, Some(json!(null)), Some(json!(2)), Some(json!(["x"]))] {
                let mut message = notification();
                match value {
                    None => drop(message.as_object_mut().unwrap().remove(name)),
                    Some(value) => message[name] = value,
                }
                assert!(parse(&message).is_err(), "{name}: {message}");
            }
        }
        for kind in ["", "notification", "Notification ", "Other"] {
            let mut message = notification();
            message["Type"] = kind.into();
            assert!(parse(&message).is_err(), "{kind}");
        }
        for name in ["Token", "SubscribeURL"] {
            let mut message = confirmation("SubscriptionConfirmation");
            message.as_object_mut().unwrap().remove(name);
            assert!(parse(&message).is_err(), "{name}");
        }
        for body in [&b""[..], b"[]", b"{", b"\xff", b"null", b"{} {}"] {
            assert!(Message::parse(body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn message_with_a_repeated_member_is_refused() {
        let text = notification().to_string();
        for name in ["Message", "TopicArn", "Type", "SigningCertURL"] {
            let twice = text.replacen('{', &format!("{{\"{name}\":\"Notification\","), 1);
            assert!(Message::parse(twice.as_bytes()).is_err(), "{name}");
        }
    }
}
