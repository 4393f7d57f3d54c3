//! Makes messages of the topic and signs them, genuinely or not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::key::{Identity, Key, STRANGER, TOPIC};
use super::{Kind, Message, TOPIC_ARN};
use crate::clock;

/// A key of the local topic cannot be used.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum Error {
    /// The key in the source tree is no RSA key any more.
    #[error("the local topic's key cannot be read")]
    Key,
}

/// Signs messages for one topic. Clones share the key.
#[derive(Clone, Debug)]
pub struct Signer {
    key: Key,
    identity: Identity,
    origin: String,
}

impl Signer {
    /// The topic's signer. `origin` (`http://host:port`) is where the certificate and the confirmation lie.
    pub fn new(origin: &str) -> Result<Self, Error> {
        Self::with(TOPIC, origin)
    }

    /// A forger: it names the topic's certificate and signs with another key.
    pub fn stranger(origin: &str) -> Result<Self, Error> {
        Self::with(STRANGER, origin)
    }

    fn with(identity: Identity, origin: &str) -> Result<Self, Error> {
        Ok(Self {
            key: Key::of(identity)?,
            identity,
            origin: origin.to_owned(),
        })
    }

    /// The X.509 certificate of the signing key, as PEM. The stranger's is its own, which the topic does not serve.
    #[must_use]
    pub fn certificate(&self) -> &'static str {
        self.identity.certificate
    }

    /// Where the topic's certificate lies: what `SigningCertURL` names.
    #[must_use]
    pub fn certificate_url(&self) -> String {
        format!("{}{}", self.origin, certificate_path())
    }

    /// A notification with this text and no subject, signed.
    pub fn notification(&self, text: &str) -> Result<Message, Error> {
        self.published(None, text)
    }

    /// A notification with a subject, signed: SES's events have one.
    pub fn notification_about(&self, subject: &str, text: &str) -> Result<Message, Error> {
        self.published(Some(subject), text)
    }

    fn published(&self, subject: Option<&str>, text: &str) -> Result<Message, Error> {
        let mut message = begun(Kind::Notification);
        message.set("TopicArn", TOPIC_ARN);
        if let Some(subject) = subject {
            message.set("Subject", subject);
        }
        message.set("Message", text);
        self.finish(&mut message)?;
        let link = format!(
            "{}/?Action=Unsubscribe&SubscriptionArn={}",
            self.origin,
            subscription_arn()
        );
        message.set("UnsubscribeURL", link);
        Ok(message)
    }

    /// The question whether an address wants the topic's messages, signed. `token` is what the answer must name.
    pub fn subscription_confirmation(&self, token: &str) -> Result<Message, Error> {
        let text = format!(
            "You have chosen to subscribe to the topic {TOPIC_ARN}.\n\
             To confirm the subscription, visit the SubscribeURL included in this message."
        );
        self.confirmation(Kind::SubscriptionConfirmation, &text, token)
    }

    /// The word that an address gets no more messages, signed.
    pub fn unsubscribe_confirmation(&self, token: &str) -> Result<Message, Error> {
        let text = format!(
            "You have chosen to deactivate subscription {}.\n\
             To cancel this operation and restore the subscription, visit the SubscribeURL included in this message.",
            subscription_arn()
        );
        self.confirmation(Kind::UnsubscribeConfirmation, &text, token)
    }

    fn confirmation(&self, kind: Kind, text: &str, token: &str) -> Result<Message, Error> {
        let mut message = begun(kind);
        message.set("Token", token);
        message.set("TopicArn", TOPIC_ARN);
        message.set("Message", text);
        message.set("SubscribeURL", confirmation_url(&self.origin, token));
        self.finish(&mut message)?;
        Ok(message)
    }

    /// Dates a message and signs it.
    fn finish(&self, message: &mut Message) -> Result<(), Error> {
        message.set("Timestamp", format!("{:.3}", clock::now()));
        message.set("SignatureVersion", "2");
        message.set("Signature", "");
        message.set("SigningCertURL", self.certificate_url());
        self.sign(message)
    }

    /// Signs a message as it is now, whatever it says.
    pub fn sign(&self, message: &mut Message) -> Result<(), Error> {
        let signature = self.key.sign(&message.string_to_sign())?;
        message.set("Signature", STANDARD.encode(signature));
        Ok(())
    }
}

/// The path of the topic's certificate, with a hash in its name as Amazon's has.
pub(super) fn certificate_path() -> String {
    let hash = Bytes::copy_from_slice(&Sha256::digest(TOPIC.certificate));
    let hash = format!("{hash:x}");
    format!("/SimpleNotificationService-{}.pem", &hash[..32])
}

/// The one subscription that the topic has.
pub(super) fn subscription_arn() -> String {
    format!("{TOPIC_ARN}:{}", Uuid::nil())
}

fn confirmation_url(origin: &str, token: &str) -> String {
    format!("{origin}/?Action=ConfirmSubscription&TopicArn={TOPIC_ARN}&Token={token}")
}

fn begun(kind: Kind) -> Message {
    let mut message = Message::default();
    message.set("Type", kind.name());
    message.set("MessageId", Uuid::new_v4().to_string());
    message
}
