//! One message of the topic: its text members in SNS's order, and the string to sign.

use std::fmt::Write;

use super::signer::subscription_arn;

/// The type of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A published notification.
    Notification,
    /// A request to confirm a new subscription.
    SubscriptionConfirmation,
    /// A request to confirm an unsubscription.
    UnsubscribeConfirmation,
}

impl Kind {
    /// Returns its name in `Type` and in `x-amz-sns-message-type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }
}

/// The signed members of each type:
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html>.
const SIGNED_NOTIFICATION: &[&str] = &[
    "Message",
    "MessageId",
    "Subject",
    "Timestamp",
    "TopicArn",
    "Type",
];
const SIGNED_CONFIRMATION: &[&str] = &[
    "Message",
    "MessageId",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
];

/// A message. Any member can be changed before or after signing; a forgery changes it after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    members: Vec<(String, String)>,
}

impl Message {
    /// Returns a member's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.members.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Sets a member in its position, or adds it at the end.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.members.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.members.push((name.to_owned(), value)),
        }
    }

    /// Removes a member.
    pub fn remove(&mut self, name: &str) {
        self.members.retain(|(known, _)| known != name);
    }

    /// Returns the names of its members, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the string to sign: name and value of each member on separate lines, in the order of the names. Missing
    /// members are omitted, which SNS does only with `Subject`.
    #[must_use]
    pub fn string_to_sign(&self) -> String {
        let signed = if self.get("Type") == Some(Kind::Notification.name()) {
            SIGNED_NOTIFICATION
        } else {
            SIGNED_CONFIRMATION
        };
        let mut text = String::new();
        for name in signed {
            if let Some(value) = self.get(name) {
                // Writing to a string cannot fail.
                let _infallible = write!(text, "{name}\n{value}\n");
            }
        }
        text
    }

    /// Returns the JSON body, with SNS's line breaks and spaces.
    #[must_use]
    pub fn body(&self) -> String {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let lines: Vec<String> = self
            .members
            .iter()
            .map(|(name, value)| format!("  {} : {}", text(name), text(value)))
            .collect();
        format!("{{\n{}\n}}", lines.join(",\n"))
    }

    /// Returns the headers that SNS sends with it. A missing member omits its header.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let named = [
            ("x-amz-sns-message-type", "Type"),
            ("x-amz-sns-message-id", "MessageId"),
            ("x-amz-sns-topic-arn", "TopicArn"),
        ];
        let mut headers = vec![
            ("content-type", "text/plain; charset=UTF-8".to_owned()),
            (
                "user-agent",
                "Amazon Simple Notification Service Agent".to_owned(),
            ),
        ];
        for (header, member) in named {
            headers.extend(self.get(member).map(|value| (header, value.to_owned())));
        }
        if self.get("Type") == Some(Kind::Notification.name()) {
            headers.push(("x-amz-sns-subscription-arn", subscription_arn()));
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Message;

    fn message(members: &[(&str, &str)]) -> Message {
        let mut message = Message::default();
        for (name, value) in members {
            message.set(name, *value);
        }
        message
    }

    #[test]
    fn notification_is_signed_without_its_links() {
        let mut notification = message(&[
            ("Type", "Notification"),
            ("MessageId", "1"),
            ("TopicArn", "arn"),
            ("Message", "two\nlines"),
            ("Timestamp", "now"),
            ("SignatureVersion", "2"),
            ("UnsubscribeURL", "http://x"),
        ]);
        assert_eq!(
            notification.string_to_sign(),
            "Message\ntwo\nlines\nMessageId\n1\nTimestamp\nnow\nTopicArn\narn\nType\nNotification\n"
        );
        notification.set("Subject", "s");
        assert!(
            notification
                .string_to_sign()
                .contains("\n1\nSubject\ns\nTimestamp\n")
        );
    }

    #[test]
    fn confirmation_is_signed_with_its_token_and_link() {
        for kind in ["SubscriptionConfirmation", "UnsubscribeConfirmation"] {
            let confirmation = message(&[
                ("Type", kind),
                ("MessageId", "1"),
                ("Token", "t"),
                ("TopicArn", "arn"),
                ("Message", "m"),
                ("SubscribeURL", "http://x"),
                ("Timestamp", "now"),
                ("Subject", "is not signed"),
            ]);
            assert_eq!(
                confirmation.string_to_sign(),
                format!(
                    "Message\nm\nMessageId\n1\nSubscribeURL\nhttp://x\nTimestamp\nnow\nToken\nt\nTopicArn\narn\n\
                     Type\n{kind}\n"
                )
            );
        }
    }

    #[test]
    fn message_body_is_valid_json_for_any_text() {
        let body = message(&[("Type", "a\"b\\c\nü"), ("Message", "{\"x\": 1}")]).body();
        let read: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            read,
            json!({ "Type": "a\"b\\c\nü", "Message": "{\"x\": 1}" })
        );
        assert!(body.starts_with("{\n  \"Type\" : "), "{body}");
    }
}
