//! Creates messages of the topic and signs them, with the genuine or a foreign key.

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
    /// The key in the source tree is not a valid RSA key.
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
    /// Creates the topic's signer. `origin` (`http://host:port`) serves the certificate and the confirmation.
    pub fn new(origin: &str) -> Result<Self, Error> {
        Self::with(TOPIC, origin)
    }

    /// Creates a forger: it names the topic's certificate and signs with another key.
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

    /// Returns the X.509 certificate of the signing key, as PEM. The forger's certificate is its own, which the topic
    /// does not serve.
    #[must_use]
    pub fn certificate(&self) -> &'static str {
        self.identity.certificate
    }

    /// Returns the URL of the topic's certificate, for `SigningCertURL`.
    #[must_use]
    pub fn certificate_url(&self) -> String {
        format!("{}{}", self.origin, certificate_path())
    }

    /// Returns a signed notification with this text and no subject.
    pub fn notification(&self, text: &str) -> Result<Message, Error> {
        self.published(None, text)
    }

    /// Returns a signed notification with a subject, as in SES events.
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

    /// Returns a signed request to confirm a subscription. The confirmation must contain `token`.
    pub fn subscription_confirmation(&self, token: &str) -> Result<Message, Error> {
        let text = format!(
            "You have chosen to subscribe to the topic {TOPIC_ARN}.\n\
             To confirm the subscription, visit the SubscribeURL included in this message."
        );
        self.confirmation(Kind::SubscriptionConfirmation, &text, token)
    }

    /// Returns a signed request to confirm an unsubscription.
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

    /// Sets the date of a message and signs it.
    fn finish(&self, message: &mut Message) -> Result<(), Error> {
        message.set("Timestamp", format!("{:.3}", clock::now()));
        message.set("SignatureVersion", "2");
        message.set("Signature", "");
        message.set("SigningCertURL", self.certificate_url());
        self.sign(message)
    }

    /// Signs a message with its current members.
    pub fn sign(&self, message: &mut Message) -> Result<(), Error> {
        let signature = self.key.sign(&message.string_to_sign())?;
        message.set("Signature", STANDARD.encode(signature));
        Ok(())
    }
}

/// Returns the path of the topic's certificate, with a hash in its name as at Amazon.
pub(super) fn certificate_path() -> String {
    let hash = Bytes::copy_from_slice(&Sha256::digest(TOPIC.certificate));
    let hash = format!("{hash:x}");
    format!("/SimpleNotificationService-{}.pem", &hash[..32])
}

/// Returns the topic's only subscription.
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
