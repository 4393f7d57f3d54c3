//! One event, ready to send.

use super::mail_event::MailEvent;
use super::{sns, svix};
use crate::clock;
use crate::mail::Provider;

/// A key is unusable.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum Error {
    /// The topic's key.
    #[error(transparent)]
    Sns(#[from] sns::Error),
    /// The webhooks' key.
    #[error(transparent)]
    Svix(#[from] svix::BadSecret),
}

/// An event of a mail. Its id is the same for each attempt.
#[derive(Clone, Debug)]
pub struct Event {
    /// The mail's id.
    pub mail_id: String,
    /// The event.
    pub mail_event: MailEvent,
    pub(super) carried: Carried,
}

/// The transport of an event.
#[derive(Clone, Debug)]
pub(super) enum Carried {
    /// A message of the topic, signed at publication.
    Sns(sns::Message),
    /// A webhook, signed at each attempt.
    Svix { id: String, body: String },
}

/// An event as an HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The headers, in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Event {
    /// Returns the provider that sends it.
    #[must_use]
    pub fn provider(&self) -> Provider {
        match self.carried {
            Carried::Sns(_) => Provider::Ses,
            Carried::Svix { .. } => Provider::Resend,
        }
    }

    /// Returns the `MessageId` of the topic, or the `svix-id`.
    #[must_use]
    pub fn id(&self) -> &str {
        match &self.carried {
            Carried::Sns(message) => message.get("MessageId").unwrap_or_default(),
            Carried::Svix { id, .. } => id,
        }
    }

    /// Returns the provider's own JSON: the topic's `Message`, or the webhook's body.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.carried {
            Carried::Sns(message) => message.get("Message").unwrap_or_default(),
            Carried::Svix { body, .. } => body,
        }
    }

    pub(super) fn request(&self, key: &svix::Key) -> Result<Request, Error> {
        Ok(match &self.carried {
            Carried::Sns(message) => sns_request(message),
            Carried::Svix { id, body } => {
                let seconds = clock::now().as_second();
                let headers = vec![
                    ("content-type", "application/json".to_owned()),
                    ("user-agent", "Svix-Webhooks/1.0 (local)".to_owned()),
                    ("svix-id", id.clone()),
                    ("svix-timestamp", seconds.to_string()),
                    ("svix-signature", key.sign(id, seconds, body.as_bytes())?),
                ];
                Request {
                    headers,
                    body: body.clone(),
                }
            }
        })
    }
}

/// Returns a message of the topic as SNS sends it.
pub(super) fn sns_request(message: &sns::Message) -> Request {
    Request {
        headers: message.headers(),
        body: message.body(),
    }
}
